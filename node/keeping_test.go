package node

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/archive/archivetest"
	"axgate/config"
	"axgate/events"
	"axgate/ledger"
	"axgate/ledger/ledgertest"
	"axgate/media/record"
	"axgate/media/wav"
	"axgate/vault"
)

// TestRecordingOfAKilledNode: the encrypted recording of a call whose node was
// killed is completed, billed with its own length, brought to the store, and
// handed out as the WAV file that it is; without its key the node does not start.
func TestRecordingOfAKilledNode(t *testing.T) {
	ctx := context.Background()
	s := archivetest.Serve(t)
	c := config.Default()
	c.Data = t.TempDir()
	c.SIP.UDP, c.SIP.TCP, c.Redis.Embedded, c.HTTP.Listen = "127.0.0.1:0", config.Off, "127.0.0.1:0", "127.0.0.1:0"
	key, err := vault.NewKey("k")
	require.NoError(t, err)
	c.Keys.Ring = key
	st := &c.Recording.Store
	st.Endpoint, st.Bucket, st.Region, st.AccessKey, st.SecretKey, st.TLS = strings.TrimPrefix(s.URL, "http://"), archivetest.Bucket, "eu", archivetest.Key, archivetest.Secret, false

	ring, err := keyRing(&c)
	require.NoError(t, err)
	w := record.Open(record.WriterOptions{Ring: ring})
	const file = "26010203041612050118304.wav"
	r, err := w.Create(record.Options{Dir: RecordDir(&c), Name: file})
	require.NoError(t, err)
	begun := time.Now()
	for i := range 1000 { // 20 s of speech
		r.Write(0, 1, uint32(160*i), begun.Add(time.Duration(20*i)*time.Millisecond), bytes.Repeat([]byte{0x21}, 160))
	}
	require.NoError(t, w.Close()) // and the process is killed

	at := time.Now().UTC().Truncate(time.Microsecond)
	l, err := ledger.Open(ctx, ledgerConfig(&c))
	require.NoError(t, err)
	call := events.Call{Session: "s", Node: c.Node, App: "app", SP: "sp", Mode: "AXB", X: "+8617010000001", In: at, Answered: at, Recording: at, RecordFile: file}
	ledgertest.Record(t, l, call, events.NewCallEvent(call, 1, events.Answer, at, ""))
	lived(t, l, &c, at)
	require.NoError(t, l.Close())

	n, err := Open(ctx, c, zerolog.Nop())
	require.NoError(t, err)
	defer func() { require.NoError(t, n.Close(ctx)) }()
	require.NoError(t, n.Serve())
	closed := closedCall(t, n, "s")
	require.Equal(t, file, closed.RecordFile)

	fetch := func() []byte {
		address, err := n.library.Address(ctx, "app", file)
		require.NoError(t, err)
		res, err := http.Get(address)
		require.NoError(t, err)
		defer http.DefaultClient.CloseIdleConnections()
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return b
	}
	got := fetch()
	require.EqualValues(t, len(got), closed.RecordBytes)
	f, err := wav.Parse(got)
	require.NoError(t, err)
	require.Greater(t, f.Duration(), 10*time.Second)
	require.Equal(t, len(f.Data), bytes.Count(f.Data, []byte{0x21})+bytes.Count(f.Data[:320], []byte{0xd5}), "all of it is speech, but for the first moment")

	require.Eventually(t, func() bool {
		_, err := os.Lstat(filepath.Join(RecordDir(&c), file))
		return os.IsNotExist(err)
	}, 20*time.Second, 50*time.Millisecond, "it is brought to the store")
	require.Equal(t, got, fetch())
	content, _, err := n.store.Open(ctx, file)
	require.NoError(t, err)
	require.True(t, vault.IsSealedFile(content))
	require.NoError(t, content.Close())

	second := c
	second.Node, second.Data, second.Keys.Ring = "another", t.TempDir(), ""
	second.Ledger.Path = ledgerConfig(&c).Path
	_, err = Open(ctx, second, zerolog.Nop())
	require.ErrorContains(t, err, `add key "k"`)
}
