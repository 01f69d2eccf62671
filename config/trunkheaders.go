package config

// TrunkHeaders is what calls over a trunk say beside who calls whom.
type TrunkHeaders struct {
	SendDiversion   bool              `key:"send_diversion" help:"send Diversion with X: forwarded by X"`
	SendHistoryInfo bool              `key:"send_history_info" help:"send History-Info with X: forwarded by X"`
	HideAgent       bool              `key:"hide_agent" help:"send no User-Agent"`
	ExtraHeaders    map[string]string `key:"extra_headers" help:"constant headers of its INVITE and MESSAGE, name: value"`
}
