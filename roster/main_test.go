package roster

import (
	"testing"

	"axgate/ledger/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m) }
