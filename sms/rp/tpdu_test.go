package rp_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"axgate/sms/parts"
	"axgate/sms/rp"
)

func zone(hours int) *time.Location { return time.FixedZone("", hours*3600) }

// TestDeliversOfNetworks reads texts that networks have sent, as they are
// published in the tests of SMS software and in tutorials.
func TestDeliversOfNetworks(t *testing.T) {
	for _, c := range []struct {
		name, dump string
		from       rp.Address
		at         time.Time
		text       string
		part       *rp.Part
	}{
		{"7 bit", "040B911346610089F60000208062917314080CC8F71D14969741F977FD07",
			rp.Number("+31641600986"), time.Date(2002, 8, 26, 19, 37, 41, 0, time.UTC), "How are you?", nil},
		{"of a subscriber's number", "040BC87238880900F10000993092516195800AE8329BFD4697D9EC37",
			rp.Address{Type: rp.Subscriber, Plan: 8, Value: "27838890001"}, time.Date(1999, 3, 29, 15, 16, 59, 0, zone(2)), "hellohello", nil},
		{"UCS-2", "040B914316709807F2000880604290224080084E2D5174901A8BAF",
			rp.Number("+34610789702"), time.Date(2008, 6, 24, 9, 22, 4, 0, zone(2)), "中兴通讯", nil},
		{"spaces in front", "040C914497716247010000909010711423400A2050EC468B81C4733A",
			rp.Number("+447917267410"), time.Date(2009, 9, 1, 17, 41, 32, 0, zone(1)), "  1741 bst", nil},
		{"of a name with an odd length", "0409D0C6A733390400009060920173018093CC74595C96838C4F6772085AD6DDE4320B444E9741D4B03C6D7EC3E9E9B71B9474D3CB727799DEA286CFE5B9991DA6CBC3F432E85E9793CBA0F09A9EB6A7CB72BA0B9474D3CB727799DE72D6E9FABAFB0CBAA7E56490BA4CD7D34170F91BE4ACD3F575F7794E0F9F4161F1B92C2F8FD1EE32DD054AA2E520E3D3991C82A8E5701B",
			rp.Address{Type: rp.Alphanumeric, Value: "FONIC"}, time.Date(2009, 6, 29, 10, 37, 10, 0, zone(2)),
			"Lieber FONIC Kunde, die Tarifoption Internet-Tagesflatrate wurde aktiviert. Internet-Nutzung wird jetzt pro Nutzungstag abgerechnet. Ihr FONIC Team", nil},
		{"of a name with an even length", "0412D0F7FBDD454FB75D693A0000903002801153402BCD301E9F0605D9E971191483C140412A35690D52832063D2F9040599A058EE05A3BD6430580E",
			rp.Address{Type: rp.Alphanumeric, Value: "www.tim.it"}, time.Date(2009, 3, 20, 8, 11, 35, 0, zone(1)), "Maxxi Alice 100 ATTIVATA FINO AL 19/04/2009", nil},
		{"part 1, to which a telematic PID and class 1 belong", "4405852122F039F101506271217180A005000319020198E9B2B82C0759DFE4B0F9ED2EB7967537B9CC02B5D37450122D2FCB41EE303DFD7687D96537881A96A7CD6F383DFD7683F46134BBEC064DD36550DA0D22A7CBF3721BE42CD3F5A0198B56036DCA20B8FC0D6A0A4170767D0EAAE540433A082E7F83A6E5F93CFD76BB40D7B2DB0D9AA6CB2072BA3C2F83926EF31BE44E8FD17450BB8C9683CA",
			rp.Address{Type: rp.Unknown, Plan: 5, Value: "12220"}, time.Date(2010, 5, 26, 17, 12, 17, 0, zone(2)),
			"Lieber Vodafone-Kunde, mit Ihrer nationalen Tarifoption zahlen Sie in diesem Netz 3,45 € pro MB plus 59 Ct pro Session. Wenn Sie diese Info nicht mehr e", &rp.Part{Ref: 25, Seq: 1, Total: 2}},
		{"part 2", "4405852122F039F1015062712181804F050003190202E4E8309B5E7683DAFC319A5E76B340F73D9A5D7683A6E93268FD9ED3CB6EF67B0E5AD172B19B2C2693C9602E90355D6683A6F0B007946E8382F5393BEC26BB00",
			rp.Address{Type: rp.Unknown, Plan: 5, Value: "12220"}, time.Date(2010, 5, 26, 17, 12, 18, 0, zone(2)),
			"rhalten möchten, wählen Sie kostenlos +4917212220. Viel Spaß im Ausland.", &rp.Part{Ref: 25, Seq: 2, Total: 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := rp.ParseDeliver(octets(t, c.dump))
			require.NoError(t, err)
			assert.Equal(t, c.from, d.Originator)
			if c.from.Type == rp.Alphanumeric {
				assert.Empty(t, d.Originator.Dialled())
			}
			assert.Equal(t, c.text, d.Text)
			assert.Equal(t, c.part, d.Part)
			assert.WithinDuration(t, c.at, d.At, 0)
			assert.False(t, d.More)
			assert.False(t, d.Binary)
		})
	}
}

// TestSubmitsOfPhones reads and writes texts of phones, as they are published.
func TestSubmitsOfPhones(t *testing.T) {
	spain, four := rp.Number("+34654123456"), 4*24*time.Hour
	for _, c := range []struct {
		name, dump string
		s          rp.Submit
	}{
		{"no validity", "01000B914316565811F9000004E8373B0C", rp.Submit{Destination: rp.Number("+34616585119"), Content: rp.Content{Text: "hola"}}},
		{"relative validity", "11000B916407281553F80000AA0AE8329BFD4697D9EC37",
			rp.Submit{Destination: rp.Number("+46708251358"), Validity: four, Content: rp.Content{Text: "hellohello"}}},
		{"accents", "11000B914356143254F60000AA04483E7B0F", rp.Submit{Destination: spain, Validity: four, Content: rp.Content{Text: "Hölä"}}},
		{"the last septet is @", "01000B914356143254F6000009C2AD341104EDFB00", rp.Submit{Destination: spain, Content: rp.Content{Text: "BÄRÇA äñ@"}}},
		{"UCS-2", "01000B914316565811F9000806304253F68449", rp.Submit{Destination: rp.Number("+34616585119"), Content: rp.Content{Text: "あ叶葉", UCS2: true}}},
		{"UCS-2 to a national number", "1100098156355476F80008AA0E0420044304410441043A04380439",
			rp.Submit{Destination: rp.Number("655345678"), Validity: four, Content: rp.Content{Text: "Русский", UCS2: true}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := rp.ParseSubmit(octets(t, c.dump))
			require.NoError(t, err)
			assert.Equal(t, c.s, s)
			b, err := c.s.Marshal()
			require.NoError(t, err)
			assert.Equal(t, octets(t, c.dump), b)
		})
	}
	for _, c := range []struct {
		name, dump string
		s          rp.Submit
	}{
		{"absolute validity", "19000B914316565811F900000170520251930004E8373B0C", rp.Submit{Destination: rp.Number("+34616585119"), Content: rp.Content{Text: "hola"}}},
		{"enhanced validity", "09000B914316565811F900000102000000000004E8373B0C", rp.Submit{Destination: rp.Number("+34616585119"), Content: rp.Content{Text: "hola"}}},
		{"flash", "01000B914356143254F6001006E8721E947F03", rp.Submit{Destination: spain, Content: rp.Content{Text: "hey yo"}}},
		{"a report is wanted", "21000B914356143254F6000006E8721E947F03", rp.Submit{Destination: spain, ReportWanted: true, Content: rp.Content{Text: "hey yo"}}},
		{"8 bit", "01000B811000000000F000040B48692074686572652E2E2E", rp.Submit{Destination: rp.Number("01000000000"), Content: rp.Content{Binary: true}}},
		{"octets behind", "05070B914356143254F6000006E8721E947F03ff", rp.Submit{MR: 7, RejectDuplicates: true, Destination: spain, Content: rp.Content{Text: "hey yo"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := rp.ParseSubmit(octets(t, c.dump))
			require.NoError(t, err)
			assert.Equal(t, c.s, s)
		})
	}
}

// TestLongSubmit writes a published text in three segments.
func TestLongSubmit(t *testing.T) {
	text := "Or walk with Kings - nor lose the common touch, if neither foes nor loving friends can hurt you, If all men count with you, but none too much; If you can fill the unforgiving minute With sixty seconds' worth of distance run, Yours is the Earth and everything thats in it, And - which is more - you will be a Man, my son"
	want := []string{
		"5100098156355476F80000AAA00500038803019E72D03DCC5E83EE693A1AB44CBBCF73500BE47ECB41ECF7BC0CA2A3CBA0F1BBDD7EBB41F4777D8C6681D26690BB9CA6A3CB7290F95D9E83DC6F3988FDB6A7DD6790599E2EBBC973D038EC06A1EB723A28FFAEB340493328CC6683DA653768FCAEBBE9A07B9A8E06E5DF7516485CA783DC6F7719447FBF41EDFA18BD0325CDA0FCBB0E1A87DD",
		"5100098156355476F80000AAA005000388030240E6349B0DA2A3CBA0BADBFC969FD3F6B4FB0C6AA7DD757A19744DD3D1A0791A4FCF83E6E5F1DB4D9E9F40F7B79C8E06BDCD20727A4E0FBBC76590BCEE6681B2EFBA7C0E4ACF41747419540CCBE96850D84D0695ED65799E8E4EBBCF203A3A4C9F83D26E509ACE0205DD64500B7447A7C768507A0E6ABFE565500B947FD741F7349B0D129741",
		"5100098156355476F80000AA14050003880303C2A066D8CD02B5F3A0F9DB0D",
	}
	contents, err := rp.Split(text, 0x188, false)
	require.NoError(t, err)
	require.Len(t, contents, 3)
	var segments []string
	for i, c := range contents {
		b, err := rp.Submit{Destination: rp.Number("655345678"), Validity: 4 * 24 * time.Hour, Content: c}.Marshal()
		require.NoError(t, err)
		assert.Equal(t, octets(t, want[i]), b)
		s, err := rp.ParseSubmit(b)
		require.NoError(t, err)
		assert.Equal(t, &rp.Part{Ref: 0x88, Seq: i + 1, Total: 3}, s.Part)
		segments = append(segments, s.Text)
	}
	assert.Equal(t, text, parts.Join(segments))
	_, err = rp.Split(strings.Repeat("中", 255*67+1), 1, false)
	assert.ErrorContains(t, err, "256 segments")
	wide, err := rp.Split(strings.Repeat("中", 71), 0x12345, true)
	require.NoError(t, err)
	assert.Equal(t, &rp.Part{Ref: 0x2345, Seq: 2, Total: 2, Wide: true}, wide[1].Part)
}

// TestTimeStamp holds TP-SCTS.
func TestTimeStamp(t *testing.T) {
	of := func(stamp string) time.Time {
		d, err := rp.ParseDeliver(octets(t, "04 0481 2143 00 00"+stamp+"01 41"))
		require.NoError(t, err)
		return d.At
	}
	for stamp, want := range map[string]time.Time{
		"99202150750321": time.Date(1999, 2, 12, 5, 57, 30, 0, zone(3)),
		"99202150750300": time.Date(1999, 2, 12, 5, 57, 30, 0, time.UTC),
		"99202150750329": time.Date(1999, 2, 12, 5, 57, 30, 0, zone(-3)),
		"01800132420069": time.Date(2010, 8, 10, 23, 24, 0, 0, zone(-4)),
	} {
		assert.WithinDuration(t, want, of(stamp), 0, stamp)
		b, err := rp.Deliver{Originator: rp.Number("1234"), At: want, Content: rp.Content{Text: "A"}}.Marshal()
		require.NoError(t, err)
		assert.Equal(t, octets(t, stamp), b[7:14])
	}
	assert.WithinDuration(t, time.Date(2026, 10, 25, 0, 0, 0, 0, time.UTC), of("6201520f00f000"), 0, "what is no digit is 0")
	for _, stamp := range []string{"00000000000000", "62135200000000", "62201300000000", "62115242000000", "62115200060000"} {
		assert.Zero(t, of(stamp), stamp)
	}
}

// TestValidity holds the steps of TP-VP.
func TestValidity(t *testing.T) {
	for _, c := range []struct {
		want  time.Duration
		octet byte
		is    time.Duration
	}{
		{time.Second, 0, 5 * time.Minute},
		{5 * time.Minute, 0, 5 * time.Minute},
		{10 * time.Minute, 1, 10 * time.Minute},
		{12 * time.Hour, 143, 12 * time.Hour},
		{12*time.Hour + 1, 144, 12*time.Hour + 30*time.Minute},
		{24 * time.Hour, 167, 24 * time.Hour},
		{25 * time.Hour, 168, 48 * time.Hour},
		{30 * 24 * time.Hour, 196, 30 * 24 * time.Hour},
		{31 * 24 * time.Hour, 197, 35 * 24 * time.Hour},
		{1000 * 24 * time.Hour, 255, 63 * 7 * 24 * time.Hour},
	} {
		b, err := rp.Submit{Destination: rp.Number("1234"), Validity: c.want, Content: rp.Content{Text: "A"}}.Marshal()
		require.NoError(t, err)
		assert.Equal(t, c.octet, b[8], c.want)
		s, err := rp.ParseSubmit(b)
		require.NoError(t, err)
		assert.Equal(t, c.is, s.Validity)
	}
}

// TestUnwritable holds what has no form.
func TestUnwritable(t *testing.T) {
	text := rp.Content{Text: "A"}
	for name, d := range map[string]rp.Deliver{
		"no originator":       {Content: text},
		"no number":           {Originator: rp.Number("alice"), Content: text},
		"21 digits":           {Originator: rp.Number("123456789012345678901"), Content: text},
		"a name too long":     {Originator: rp.Address{Type: rp.Alphanumeric, Value: "123456789012"}, Content: text},
		"a name beyond GSM":   {Originator: rp.Address{Type: rp.Alphanumeric, Value: "张"}, Content: text},
		"a text beyond GSM":   {Originator: rp.Number("1234"), Content: rp.Content{Text: "中"}},
		"161 septets":         {Originator: rp.Number("1234"), Content: rp.Content{Text: strings.Repeat("a", 161)}},
		"71 units":            {Originator: rp.Number("1234"), Content: rp.Content{Text: strings.Repeat("中", 71), UCS2: true}},
		"154 and a header":    {Originator: rp.Number("1234"), Content: rp.Content{Text: strings.Repeat("a", 154), Part: &rp.Part{Seq: 1, Total: 2}}},
		"68 and a header":     {Originator: rp.Number("1234"), Content: rp.Content{Text: strings.Repeat("中", 68), UCS2: true, Part: &rp.Part{Seq: 1, Total: 2}}},
		"part 3 of 2":         {Originator: rp.Number("1234"), Content: rp.Content{Text: "a", Part: &rp.Part{Seq: 3, Total: 2}}},
		"a reference too big": {Originator: rp.Number("1234"), Content: rp.Content{Text: "a", Part: &rp.Part{Ref: 256, Seq: 1, Total: 2}}},
		"binary":              {Originator: rp.Number("1234"), Content: rp.Content{Binary: true}},
	} {
		_, err := d.Marshal()
		assert.Error(t, err, name)
		_, err = rp.Submit{Destination: d.Originator, Content: d.Content}.Marshal()
		assert.Error(t, err, name)
	}
}
