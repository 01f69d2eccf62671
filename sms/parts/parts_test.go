package parts_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"axgate/sms/parts"
)

// TestCount holds the contract's sizes at their edges.
func TestCount(t *testing.T) {
	a := func(n int) string { return strings.Repeat("a", n) }
	z := func(n int) string { return strings.Repeat("中", n) }
	for _, c := range []struct {
		name, text string
		gsm        bool
		units      int
		count      int
	}{
		{"empty", "", true, 0, 1},
		{"one", a(1), true, 1, 1},
		{"70 of GSM", a(70), true, 70, 1},
		{"71 of GSM", a(71), true, 71, 1},
		{"159", a(159), true, 159, 1},
		{"160", a(160), true, 160, 1},
		{"161", a(161), true, 161, 2},
		{"306, two segments of a network", a(306), true, 306, 2},
		{"307, three segments of a network", a(307), true, 307, 2},
		{"308", a(308), true, 308, 2},
		{"309", a(309), true, 309, 3},
		{"462", a(462), true, 462, 3},
		{"463", a(463), true, 463, 4},

		{"one Chinese", z(1), false, 1, 1},
		{"69 Chinese", z(69), false, 69, 1},
		{"70 Chinese", z(70), false, 70, 1},
		{"71 Chinese", z(71), false, 71, 2},
		{"134 Chinese", z(134), false, 134, 2},
		{"135 Chinese", z(135), false, 135, 3},
		{"201 Chinese", z(201), false, 201, 3},
		{"202 Chinese", z(202), false, 202, 4},
		{"one Chinese among 69", a(69) + z(1), false, 70, 1},
		{"one Chinese among 70", a(70) + z(1), false, 71, 2},
		{"full-width @", "＠13800138000", false, 12, 1},

		{"the tail counts", a(148) + "@13800138000", true, 160, 1},
		{"the tail counts, one more", a(149) + "@13800138000", true, 161, 2},
		{"[From…] has two of the extension", a(140) + "[From13800138000]", true, 159, 1},
		{"[From…] over the edge", a(142) + "[From13800138000]", true, 161, 2},

		{"extension 157+€", a(157) + "€", true, 159, 1},
		{"extension 158+€", a(158) + "€", true, 160, 1},
		{"extension 159+€", a(159) + "€", true, 161, 2},
		{"extension alone", strings.Repeat("€", 80), true, 160, 1},
		{"extension alone, one more", strings.Repeat("€", 81), true, 162, 2},
		{"154 of the extension", strings.Repeat("€", 154), true, 308, 2},
		{"155 of the extension", strings.Repeat("€", 155), true, 310, 3},
		{"all of the extension", "^{}\\[~]|€\f", true, 20, 1},

		{"accents of GSM", "éàñΩèùìòÇØøÅåÆæßÉÄÖÑÜ§äöü¿¡", true, 27, 1},
		{"Greek capitals of GSM", "ΔΦΓΛΩΠΨΣΘΞ", true, 10, 1},
		{"signs of GSM", "@£$¥_¤!\"#%&'()*+,-./:;<=>?", true, 26, 1},
		{"ê", a(70) + "ê", false, 71, 2},
		{"ç", a(70) + "ç", false, 71, 2},
		{"Ç", a(70) + "Ç", true, 71, 1},
		{"backquote", "`", false, 1, 1},
		{"tab", "\t", false, 1, 1},
		{"NUL", "\x00", false, 1, 1},
		{"the escape is no character", "\x1b", false, 1, 1},
		{"no-break space", "\u00a0", false, 1, 1},
		{"Ohm sign is not Omega", "\u2126", false, 1, 1},
		{"small Greek", "ω", false, 1, 1},
		{"Turkish", "ğışİŞĞ", false, 6, 1},
		{"Portuguese", "ãõáâêíóôú", false, 9, 1},
		{"Spanish", "áíóú", false, 4, 1},

		{"CR LF", "\r\n", true, 2, 1},
		{"80 lines", strings.Repeat("\r\n", 80), true, 160, 1},
		{"81 lines", strings.Repeat("\r\n", 81), true, 162, 2},

		{"emoji", "😀", false, 2, 1},
		{"35 emoji", strings.Repeat("😀", 35), false, 70, 1},
		{"36 emoji", strings.Repeat("😀", 36), false, 72, 2},
		{"67 emoji", strings.Repeat("😀", 67), false, 134, 2},
		{"68 emoji", strings.Repeat("😀", 68), false, 136, 3},
		{"family of ZWJ", "👨‍👩‍👧‍👦", false, 11, 1},
		{"flag", "🇨🇳", false, 4, 1},
		{"skin tone", "👍🏽", false, 4, 1},
		{"rare Chinese", "𠮷", false, 2, 1},
		{"combining mark", "e\u0301", false, 2, 1},
		{"composed", "é", true, 1, 1},
		{"keycap", "1\ufe0f\u20e3", false, 3, 1},

		{"no UTF-8", "a\xff\xfeb", false, 4, 1},
		{"half a character", "\xe4\xb8", false, 2, 1},
		{"a surrogate in UTF-8", "\xed\xa0\xbd", false, 3, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			assert.Equal(t, c.gsm, parts.GSM(c.text), "within the GSM alphabet")
			assert.Equal(t, c.units, parts.Units(c.text), "units")
			assert.Equal(t, c.count, parts.Count(c.text), "parts")
		})
	}
}
