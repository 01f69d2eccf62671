package torture

// row is a message, what its RFC asks of an element in our place, and what we
// answer. A verdict is a status, "none" for silence, or several of these: a
// status for each request in the bytes. Where TCP differs it has its own.
type row struct {
	name, asks string
	udp, tcp   string // tcp empty: the same
	why        string // where the RFC leaves a choice, or we do otherwise
}

const (
	notOurs = "the number called is none of ours: RFC 3261 section 8.2.2.1 has it looked up before the body"
	strict  = "the RFC leaves 400 or a guess; a guess may connect the wrong people"
	closes  = "the message may still arrive; the connection is closed when its time is over"
)

var rfc4475 = []row{
	// 3.1.1 valid
	{"wsinv", "well formed", "481", "", "its To has a tag: it belongs to a dialog that is not here"},
	{"intmeth", "well formed; 501 with Allow", "501", "", ""},
	{"esc01", "well formed; the user is not a SIPS URI", "404", "", notOurs},
	{"escnull", "well formed; nulls do not end strings", "401", "", "phones prove their number"},
	{"esc02", "well formed; the method is not REGISTER", "501", "", ""},
	{"lwsdisp", "well formed", "200", "", ""},
	{"longreq", "well formed", "404", "", notOurs},
	{"dblreq", "UDP: what follows the REGISTER is thrown away; TCP: both", "401", "401 400", "the INVITE has no Contact"},
	{"semiuri", "well formed", "200", "", ""},
	{"transports", "well formed", "200", "", ""},
	{"mpart01", "well formed; 415 if multipart is not taken", "405", "", "the node of this test takes no texts"},
	{"unreason", "well formed response", "none", "", "it answers no request of ours"},
	{"noreason", "well formed response", "none", "", "it answers no request of ours"},
	// 3.1.2 invalid
	{"badinv01", "400", "400", "", ""},
	{"clerr", "400 over UDP", "400", "none", closes},
	{"ncl", "400", "400", "", ""},
	{"scalar02", "400", "400", "", ""},
	{"scalarlg", "drop, or take as 503 without its values", "none", "", ""},
	{"quotbal", "400", "400", "", ""},
	{"ltgtruri", "400, or a guess", "400", "", strict},
	{"lwsruri", "400, or a guess", "400", "", strict},
	{"lwsstart", "400, or a guess", "400", "", strict},
	{"trws", "400, or a guess", "400", "", strict},
	{"escruri", "400, or ignore the header fields in the URI", "400", "", strict},
	{"baddate", "400, or ignore Date", "404", "", "Date is not read; " + notOurs},
	{"regbadct", "400, or a guess", "400", "", strict},
	{"badaspec", "400, or a guess", "400", "", strict},
	{"baddn", "400, or a guess", "400", "", strict},
	{"badvers", "505", "505", "", ""},
	{"mismatch01", "400", "400", "", ""},
	{"mismatch02", "400, or 501 for the method", "400", "", ""},
	{"bigcode", "drop", "none", "", ""},
	// 3.2 transactions
	{"badbranch", "400, or match as RFC 2543 did", "400", "", "a branch without a name matches strangers"},
	// 3.3 application
	{"insuf", "400 if it can be answered", "400", "", ""},
	{"unkscm", "416", "416", "", ""},
	{"novelsc", "416", "416", "", ""},
	{"unksm2", "400 by a registrar", "400", "", ""},
	{"bext01", "420 with Unsupported", "420", "", ""},
	{"invut", "415 with Accept", "404", "", notOurs + "; to an X it is 415"},
	{"regaut01", "as without credentials: 401", "401", "", ""},
	{"multi01", "400", "400", "", ""},
	{"mcl01", "400, and a stream is closed", "400", "", ""},
	{"bcast", "drop", "none", "", ""},
	{"zeromf", "an endpoint answers OPTIONS, a proxy 483", "200", "", ""},
	{"cparam01", "the parameter is the header's", "401", "", "phones prove their number"},
	{"cparam02", "the parameter is the URI's", "401", "", "phones prove their number"},
	{"regescrt", "the Route in the Contact is kept with it", "401", "", "phones prove their number"},
	{"sdp01", "406", "406", "", ""},
	// 3.4 RFC 2543
	{"inv2543", "accept for backward compatibility", "400", "", "From without a tag makes no dialog (RFC 3261 section 12.1.1), and a stream needs Content-Length"},
}

var rfc5118 = []row{
	{"ipv6-good", "well formed", "401", "", "phones prove their number"},
	{"ipv6-bad", "400", "400", "", ""},
	{"port-ambiguous", "well formed; an address without a port", "401", "", "phones prove their number"},
	{"port-unambiguous", "well formed; port 5070", "401", "", "phones prove their number"},
	{"via-received-param-with-delim", "accept brackets in received", "481", "", "a BYE of no dialog of ours"},
	{"via-received-param-no-delim", "accept received without brackets", "200", "", ""},
	{"ipv6-in-sdp", "well formed", "404", "", notOurs},
	{"mult-ip-in-header", "well formed", "481", "", "a BYE of no dialog of ours"},
	{"mult-ip-in-sdp", "well formed", "404", "", notOurs},
	{"ipv4-mapped-ipv6", "well formed", "404", "", notOurs},
	{"ipv6-bug-abnf-3-colons", "tolerate three colons", "200", "", ""},
	{"ipv6-correct-abnf-2-colons", "well formed", "200", "", ""},
}

// toX are the same messages with an X in Request-URI and To, so that what
// they are about is reached.
var toX = []row{
	{"invut", "415 with Accept", "415", "", ""},
	{"esc01", "well formed", "486", "", "the router of this test refuses every call as busy"},
	{"longreq", "well formed", "486", "", ""},
	{"baddate", "400, or ignore Date", "486", "", "Date is not read"},
	{"ipv6-in-sdp", "well formed; no common media is 488", "488", "", "only G.726 is offered"},
	{"mult-ip-in-sdp", "well formed", "486", "", ""},
	{"ipv4-mapped-ipv6", "well formed; no common media is 488", "488", "", "only G.726 is offered"},
}
