package node

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"axgate/config"
)

// certify makes a certificate of 127.0.0.1 for a configuration, and a client
// that trusts it alone.
func certify(t *testing.T, c *config.HTTP) *http.Client {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	cert := &x509.Certificate{SerialNumber: big.NewInt(1), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, cert, cert, &key.PublicKey, key)
	require.NoError(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	dir := t.TempDir()
	c.Cert, c.Key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	require.NoError(t, os.WriteFile(c.Cert, text, 0o600))
	require.NoError(t, os.WriteFile(c.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
	roots := x509.NewCertPool()
	require.True(t, roots.AppendCertsFromPEM(text))
	return &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}, Timeout: 15 * time.Second}
}

// TestAPIOverTLS: a node answers on every path of api section 1, over TLS, and
// nowhere else.
func TestAPIOverTLS(t *testing.T) {
	ctx := context.Background()
	c := config.Default()
	c.Data = t.TempDir()
	c.SIP.UDP, c.SIP.TCP, c.Redis.Embedded, c.HTTP.Listen = "127.0.0.1:0", config.Off, "127.0.0.1:0", "127.0.0.1:0"
	client := certify(t, &c.HTTP)
	n, err := Open(ctx, c, zerolog.Nop())
	require.NoError(t, err)
	defer func() { require.NoError(t, n.Close(ctx)) }()
	require.NoError(t, n.Serve())
	r, ok := FindRunning(c.Data)
	require.True(t, ok)
	require.Equal(t, "https://"+r.HTTP, n.web.Base())
	for path, want := range map[string]int{
		"/rest/caas/relationnumber/partners/v1.0":    400,
		"/rest/provision/caas/privatenumber/v1.0":    400,
		"/rest/caas/privatenumber/calleenumber/v1.0": 400,
		"/rest/caas/extendnumber/v1.0":               400,
		"/rest/caas/extendnumber/v2.0":               400,
		"/rest/caas/virtualnumber/v1.0":              400,
		"/rest/provision/voice/record/v1.0":          400,
		"/rest/httpsessions/callStop/v2.0":           400,
		"/rest/omp/xyrelationnumber/v1.0":            400,
		"/rest/caas/extendnumber/v3.0":               404,
		"/rest/caas/extendnumber/v1.0/":              404,
		"/":                                          404,
	} {
		res, err := client.Get("https://" + r.HTTP + path)
		require.NoError(t, err, path)
		body, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, want, res.StatusCode, path)
		if want == 400 {
			require.Equal(t, `{"resultcode":"1023006","resultdesc":"Authorization not contained in the HTTP header."}`, string(body), path)
			require.True(t, res.Close, path)
		} else {
			require.Empty(t, body, path)
		}
	}
}
