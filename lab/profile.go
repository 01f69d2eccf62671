package lab

import (
	"net"
	"strconv"
	"time"

	"axgate/config"
)

// ConfigFile is where a lab leaves its configuration in the data directory, for
// the other commands and for whoever wants to see one.
const ConfigFile = "lab.yaml"

// The X numbers of the lab, one per mode.
const (
	XofAXB = "+8617010000001"
	XofAX  = "+8617010000002"
	XofAXE = "+8617010000003"
)

// Password is that of every phone of the lab.
const Password = "axgate-lab"

// The phones of the lab: the demonstration's own two, and those for softphones.
var (
	First   = Party{"+8613800000001", Password}
	Second  = Party{"+8613800000002", Password}
	Ann     = Party{"+8613800000003", Password}
	Ben     = Party{"+8613800000004", Password}
	Visitor = Party{"+8613800000005", Password} // bound to nothing
)

// The apps of the lab.
const (
	appAXB = "lab-axb"
	appAX  = "lab-ax"
	appAXE = "lab-axe"
)

// texting tells whether an app of this mode has texts.
func texting(mode string) bool { return mode == "AX" || mode == "AXB" }

func secretOf(app string) string { return "secret-of-" + app }

// Profile is the lab's configuration: everything on one address, an app, an X
// and bindings per mode, and accounts for softphones. Events and notices go to
// receiver, which is asked about texts too.
func Profile(ip, receiver string) config.Config {
	c := config.Default()
	c.Node = "lab"
	c.SIP.UDP, c.SIP.TCP = net.JoinHostPort(ip, "5060"), net.JoinHostPort(ip, "5060")
	c.SIP.Drain = 5 * time.Second
	c.Media.IP = ip
	for _, p := range []Party{First, Second, Ann, Ben, Visitor} {
		c.Registrar.Accounts = append(c.Registrar.Accounts, config.Phone{Number: p.Number, Password: p.Password})
	}
	for _, a := range []struct{ key, mode, x string }{{appAXB, "AXB", XofAXB}, {appAX, "AX", XofAX}, {appAXE, "AXE", XofAXE}} {
		c.Apps = append(c.Apps, config.App{
			Key: a.key, Secret: secretOf(a.key), Name: "lab " + a.mode, Account: "lab", Mode: a.mode, ExtDigits: 4, Retries: 2,
			Recording: true, StatusURL: receiver, FeeURL: receiver, Signing: "wsse", SendDuration: true, Defaults: []string{"all"},
			SMS: texting(a.mode), SMSContent: texting(a.mode), SMSURL: receiver, SMSControlURL: receiver,
		})
		c.Numbers = append(c.Numbers, config.Number{X: a.x, App: a.key, SMS: strconv.FormatBool(texting(a.mode)), AreaCode: "010"}) // where the phones are at home
	}
	c.Bindings = []config.Binding{
		{App: appAXB, X: XofAXB, A: First.Number, B: Second.Number, Record: true},
		{App: appAXB, X: XofAXB, A: Ann.Number, B: Ben.Number, Record: true},
		{App: appAX, X: XofAX, A: Ann.Number, Record: true},
		{App: appAXE, X: XofAXE, A: Ann.Number, Ext: "0001", Record: true},
		{App: appAXE, X: XofAXE, A: Ben.Number, Ext: "0002", Record: true},
	}
	return c
}
