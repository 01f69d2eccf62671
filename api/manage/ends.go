package manage

// endTexts tell for people how calls end, by the words of routing and sip.
var endTexts = map[string]string{
	"unknown_x":             "The dialled number is no X of ours.",
	"x_unavailable":         "X takes no calls in its status.",
	"account_frozen":        "The account is frozen.",
	"app_paused":            "The app is paused.",
	"no_call_permission":    "The app has no permission for calls.",
	"fault":                 "Something failed on our side.",
	"no_binding_ax":         "X is not bound to anybody.",
	"no_binding_axe":        "X has no bindings.",
	"no_binding_axb":        "X has no binding with this caller.",
	"no_binding_axyb":       "X or Y has no relation with this caller.",
	"own_number":            "A called its own X.",
	"no_answer_from_app":    "The app's server, asked who is meant, gave no answer in time or none that can be read.",
	"bad_answer_from_app":   "The app's server, asked who is meant, gave an answer that cannot be followed.",
	"prompt_missing":        "A prompt that was to be played is not there.",
	"closed_by_app":         "The app's server, asked who is meant, had the call ended.",
	"no_temporary_callee":   "A called X, and no temporary callee was set.",
	"direction":             "The binding does not allow calls in this direction, or is switched off.",
	"fixed_line_caller":     "The caller is a bound fixed line, which may only be called.",
	"caller_blacklisted":    "The caller is on the blacklist of X.",
	"callee_blacklisted":    "The callee is on the blacklist of X.",
	"callee_barred":         "The callee's number is of a kind that is never called.",
	"loop":                  "The callee forwards its calls back to X.",
	"callee_foreign":        "The callee's number is foreign.",
	"caller_foreign":        "The caller is foreign, and the app takes no foreign callers.",
	"in_use":                "X, or its extension, was in a call already.",
	"account_calls":         "The account had as many calls as it may have at a time.",
	"account_rate":          "The account had begun as many calls as it may in a minute.",
	"x_calls":               "X had as many calls as it may have at a time.",
	"x_rate":                "X had begun as many calls as it may in a minute.",
	"minutes_spent":         "The account or X had talked as long as it may in a day.",
	"night":                 "The account or X had as many calls as it may have at night.",
	"wrong_extension":       "Nobody has the extension that was typed.",
	"nothing_entered":       "No extension was typed.",
	"left_before_extension": "The caller hung up before an extension was typed.",
	"no_callback":           "A called X, and nobody is on record to call back.",
	"left_before_ringing":   "The caller hung up before the callee's phone rang.",
	"left_while_ringing":    "The caller hung up while the callee's phone rang.",
	"callee_busy":           "The callee was busy.",
	"callee_rejected":       "The callee rejected the call.",
	"callee_no_answer":      "The callee did not answer.",
	"ring_timeout":          "The callee's phone rang as long as it may, and nobody answered.",
	"callee_does_not_exist": "The callee's number does not exist.",
	"callee_absent":         "The callee could not be reached.",
	"callee_off":            "The callee's phone was switched off.",
	"callee_suspended":      "The callee's line is suspended.",
	"trunk_error":           "The trunk to the callee failed.",
	"all_routes_failed":     "There was no way to the callee.",
	"overload":              "There were as many calls as there may be.",
	"talk_ended":            "One of the two hung up after a talk.",
	"max_duration":          "The longest time that the binding allows was over.",
	"stop_call":             "The call was stopped by order.",
	"caller_media_gone":     "Nothing was heard of the caller any more.",
	"callee_media_gone":     "Nothing was heard of the callee any more.",
	"node_died":             "The node that carried the call ended.",
}

// endText is a word in a sentence; the word itself if it is a new one.
func endText(word string) string {
	if t, ok := endTexts[word]; ok {
		return t
	}
	return word
}
