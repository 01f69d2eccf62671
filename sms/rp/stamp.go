package rp

import "time"

// stampLen is how many octets TP-Service-Centre-Time-Stamp has.
const stampLen = 7

// stamp is TP-SCTS (TS 23.040 9.2.3.11): the local time in swapped digits, two
// for each of year, month, day, hour, minute and second, and the zone in
// quarters of an hour.
func stamp(t time.Time) []byte {
	_, offset := t.Zone()
	quarters := min(max(offset/(15*60), -79), 79)
	t = t.In(time.FixedZone("", quarters*15*60))
	b := make([]byte, 0, stampLen)
	for _, n := range []int{t.Year() % 100, int(t.Month()), t.Day(), t.Hour(), t.Minute(), t.Second(), max(quarters, -quarters)} {
		b = append(b, byte(n/10|n%10<<4))
	}
	if quarters < 0 {
		b[6] |= 0x08
	}
	return b
}

// stampTime reads TP-SCTS. What is no digit counts as 0, as the standard wants;
// a time that there is not is the zero time.
func stampTime(b []byte) time.Time {
	n := make([]int, stampLen)
	for i, o := range b {
		if i == stampLen-1 {
			o &^= 0x08 // the sign
		}
		n[i] = 10*digit(o&0x0F) + digit(o>>4)
	}
	year := 2000 + n[0]
	if n[0] >= 70 {
		year -= 100
	}
	offset := n[6] * 15 * 60
	if b[6]&0x08 != 0 {
		offset = -offset
	}
	t := time.Date(year, time.Month(n[1]), n[2], n[3], n[4], n[5], 0, time.FixedZone("", offset))
	if int(t.Month()) != n[1] || t.Day() != n[2] || t.Hour() != n[3] || t.Minute() != n[4] || t.Second() != n[5] {
		return time.Time{}
	}
	return t
}

func digit(semi byte) int {
	if semi > 9 {
		return 0
	}
	return int(semi)
}
