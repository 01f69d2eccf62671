package node

import (
	"axgate/config"
	"axgate/sip/trunk"
)

func trunkEnrol(c *config.TrunkEnrol) trunk.Enrol {
	return trunk.Enrol{On: c.Register, ID: c.RegisterID, User: c.RegisterUser, Domain: c.RegisterDomain, Expires: c.RegisterExpires, Introduce: c.RegisterIntroduce}
}

func trunkAuth(c *config.TrunkAuth) trunk.Auth {
	return trunk.Auth{Username: c.AuthUsername, Password: c.AuthPassword}
}
