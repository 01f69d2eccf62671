package rp_test

import (
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"axgate/sms/rp"
)

// octets are those of a hex dump.
func octets(t testing.TB, dump string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(dump), ""))
	require.NoError(t, err)
	return b
}

var china = time.FixedZone("", 8*3600)

// TestRelayMessages holds the octets of all RP messages, both ways.
func TestRelayMessages(t *testing.T) {
	sc := rp.Number("+8613800100500")
	tpdu := []byte{1, 2, 3}
	for _, c := range []struct {
		name, dump string
		m          rp.Message
	}{
		{"RP-DATA of a phone", "00 2a 00 08 91 68 31 08 10 00 05 f0 03 01 02 03",
			rp.Data{From: rp.Phone, MR: 42, Destination: sc, TPDU: tpdu}},
		{"RP-DATA of the network", "01 ff 08 91 68 31 08 10 00 05 f0 00 03 01 02 03",
			rp.Data{From: rp.Network, MR: 255, Originator: sc, TPDU: tpdu}},
		{"RP-DATA without a service centre", "00 00 00 00 03 01 02 03", rp.Data{From: rp.Phone, TPDU: tpdu}},
		{"RP-DATA to an unknown type of number", "00 01 00 04 81 99 99 99 03 01 02 03",
			rp.Data{From: rp.Phone, MR: 1, Destination: rp.Number("999999"), TPDU: tpdu}},
		{"RP-ACK of a phone", "02 2a", rp.Ack{From: rp.Phone, MR: 42}},
		{"RP-ACK of a phone with a report", "02 2a 41 02 00 00", rp.Ack{From: rp.Phone, MR: 42, TPDU: []byte{0, 0}}},
		{"RP-ACK of the network", "03 2a", rp.Ack{From: rp.Network, MR: 42}},
		{"RP-ERROR of a phone", "04 2a 01 16", rp.Error{From: rp.Phone, MR: 42, Cause: rp.MemoryFull}},
		{"RP-ERROR of the network", "05 2a 01 1c", rp.Error{From: rp.Network, MR: 42, Cause: rp.UnidentifiedSender}},
		{"RP-ERROR with a report", "04 2a 01 6f 41 03 00 d3 00", rp.Error{From: rp.Phone, MR: 42, Cause: rp.Unspecified, TPDU: []byte{0, 0xd3, 0}}},
		{"RP-SMMA", "06 07", rp.Memory{MR: 7}},
		// As published: from an IMS, and the head of one from UMTS.
		{"RP-ACK of an IMS with a report", "03 01 41 09 01 00 01 80 01 32 42 00 69",
			rp.Data{From: rp.Phone, MR: 1}.Ack(time.Date(2010, 8, 10, 23, 24, 0, 0, time.FixedZone("", -4*3600)))},
		{"RP-DATA of a service centre without a country", "01 00 04 81 99 99 99 00 0f 040a8121436587090000 5140 00 00 00",
			rp.Data{From: rp.Network, Originator: rp.Number("999999"), TPDU: octets(t, "040a8121436587090000 5140 00 00 00")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := c.m.Marshal()
			require.NoError(t, err)
			assert.Equal(t, octets(t, c.dump), b)
			m, err := rp.Parse(b)
			require.NoError(t, err)
			assert.Equal(t, c.m, m)
			assert.Equal(t, c.m.Reference(), b[1])
		})
	}
	_, err := rp.Data{From: rp.Network, Originator: sc}.Marshal()
	assert.ErrorContains(t, err, "a TPDU of 0 octets")
	_, err = rp.Data{TPDU: make([]byte, 233)}.Marshal()
	assert.ErrorContains(t, err, "a TPDU of 233 octets")
	_, err = rp.Ack{TPDU: make([]byte, 233)}.Marshal()
	assert.Error(t, err)
	for _, bad := range []rp.Address{rp.Number("sip:1"), rp.Number("+" + strings.Repeat("1", 21)), {Type: rp.Alphanumeric, Value: "SC"}, {Type: rp.National}} {
		_, err = rp.Data{From: rp.Phone, Destination: bad, TPDU: tpdu}.Marshal()
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "sip", "an address is not to be logged")
	}
}

// TestRelayTolerance holds what is passed over and what is not.
func TestRelayTolerance(t *testing.T) {
	for _, c := range []struct {
		name, dump string
		m          rp.Message
	}{
		{"spare bits", "f8 01 00 00 01 09", rp.Data{From: rp.Phone, MR: 1, TPDU: []byte{9}}},
		{"octets behind", "00 01 00 00 01 09 41 7f", rp.Data{From: rp.Phone, MR: 1, TPDU: []byte{9}}},
		{"an originator of a phone", "00 01 02 91 21 00 01 09", rp.Data{From: rp.Phone, MR: 1, TPDU: []byte{9}}},
		{"an address of 12 digits and filling within", "00 01 00 07 91 21 43 f5 76 98 f0 01 09",
			rp.Data{From: rp.Phone, MR: 1, Destination: rp.Number("+1234567890"), TPDU: []byte{9}}},
		{"RP-ERROR with a diagnostic", "05 01 02 9c ff", rp.Error{From: rp.Network, MR: 1, Cause: rp.UnidentifiedSender}},
		{"another element before the report", "03 01 a1 42 01 00 41 02 01 00", rp.Ack{From: rp.Network, MR: 1, TPDU: []byte{1, 0}}},
		{"a broken report", "03 01 41 09 01", rp.Ack{From: rp.Network, MR: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := rp.Parse(octets(t, c.dump))
			require.NoError(t, err)
			assert.Equal(t, c.m, m)
		})
	}
	for _, c := range []struct {
		name, dump string
		silent     bool
		cause      rp.Cause
	}{
		{"nothing", "", true, rp.InvalidMandatory},
		{"a type alone", "00", true, rp.InvalidMandatory},
		{"a reserved type", "07 05", false, rp.UnknownType},
		{"RP-DATA alone", "00 05", false, rp.InvalidMandatory},
		{"no destination", "00 05 00", false, rp.InvalidMandatory},
		{"a destination cut off", "00 05 00 07 91 21", false, rp.InvalidMandatory},
		{"a destination too long", "00 05 00 0c 91 21 43 65 87 09 21 43 65 87 09 21 01 09", false, rp.InvalidMandatory},
		{"no TPDU", "00 05 00 00", false, rp.InvalidMandatory},
		{"an empty TPDU", "00 05 00 00 00", false, rp.InvalidMandatory},
		{"a TPDU cut off", "01 05 00 00 09 01", false, rp.InvalidMandatory},
		{"a TPDU too long", "01 05 00 00 e9" + strings.Repeat("00", 233), false, rp.InvalidMandatory},
		{"RP-ERROR without a cause", "05 05", true, rp.InvalidMandatory},
		{"RP-ERROR with an empty cause", "05 05 00", true, rp.InvalidMandatory},
	} {
		t.Run(c.name, func(t *testing.T) {
			body := octets(t, c.dump)
			_, err := rp.Parse(body)
			var f *rp.Fault
			require.ErrorAs(t, err, &f)
			assert.Equal(t, c.cause, f.Cause)
			e, ok := f.Answer()
			assert.Equal(t, c.silent, !ok)
			if ok {
				assert.Equal(t, rp.Error{From: rp.Side(body[0]&1) ^ 1, MR: 5, Cause: c.cause}, e)
			}
		})
	}
}

// TestAnswers holds what a Data is answered with, by either side.
func TestAnswers(t *testing.T) {
	at := time.Date(2026, 11, 25, 22, 10, 30, 0, china)
	fromPhone, fromNetwork := rp.Data{From: rp.Phone, MR: 9, TPDU: []byte{1}}, rp.Data{From: rp.Network, MR: 9, TPDU: []byte{1}}
	_, compressed := rp.ParseDeliver(octets(t, "04 04 91 21 43 00 20 62115222013023 01 00"))
	for _, c := range []struct {
		name, dump string
		m          rp.Message
	}{
		{"a phone's was taken", "03 09 41 09 01 00 62 11 52 22 01 03 23", fromPhone.Ack(at)},
		{"the network's was taken", "02 09 41 02 00 00", fromNetwork.Ack(at)},
		{"refused", "05 09 01 15", fromPhone.RefuseFor(rp.Rejected)},
		{"refused by a phone", "04 09 01 16", fromNetwork.RefuseFor(rp.MemoryFull)},
		{"the text is compressed", "04 09 01 6f 41 03 00 90 00", fromNetwork.Refuse(compressed, at)},
		{"the text is compressed, of a phone", "05 09 01 6f 41 0a 01 90 00 62 11 52 22 01 03 23", fromPhone.Refuse(compressed, at)},
		{"of another reason", "05 09 01 6f", fromPhone.Refuse(assert.AnError, at)},
		{"RP-SMMA", "05 09 01 45", rp.Memory{MR: 9}.Refuse()},
	} {
		t.Run(c.name, func(t *testing.T) {
			b, err := c.m.Marshal()
			require.NoError(t, err)
			assert.Equal(t, octets(t, c.dump), b)
		})
	}
	failure := func(dump string) rp.Error {
		m, err := rp.Parse(octets(t, dump))
		require.NoError(t, err)
		return m.(rp.Error)
	}
	dup := failure("05 09 01 6f 41 0a 01 c5 00 62 11 52 22 01 03 23")
	assert.True(t, dup.Arrived())
	assert.False(t, dup.Temporary())
	full := failure("04 09 01 6f 41 03 00 d3 00")
	assert.Equal(t, rp.MemoryExceeded, full.Failure())
	assert.True(t, full.Temporary())
	assert.Zero(t, failure("04 09 01 6f 41 03 01 c5 00").Failure(), "a phone sends no SMS-SUBMIT-REPORT")
	assert.Zero(t, failure("05 09 01 6f 41 01 01").Failure())
	assert.True(t, failure("05 09 01 2a").Temporary())
	assert.False(t, failure("05 09 01 01").Temporary())
	assert.Equal(t, "42 congestion", rp.Congestion.String())
	assert.Equal(t, "63", rp.Cause(63).String())
}
