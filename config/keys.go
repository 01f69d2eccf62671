package config

// KeyRing is the keys that secrets and recordings are encrypted with at rest. They
// are in no backup.
type KeyRing struct {
	File string `key:"file" help:"file of keys that app secrets and recordings are encrypted with at rest, one on each line as axgate keys new prints it; the last encrypts, all decrypt; empty, and no ring: nothing is encrypted"`
	Ring string `key:"ring" secret:"true" help:"further keys with blanks between, behind those of file, such as AXGATE_KEYS_RING of the environment"`
}
