package routing

// End is how a call ended: one row of section 9. The values of the wire come
// from here and nowhere else.
type End struct {
	Word       string // a short name for logs and metrics
	StateCode  int    // stateCode of the disconnect event
	FailReason int    // ulFailReason of the fee event
	SIP        int    // the final status if the caller's side was not answered yet; 0: none is due
	Cause      int    // Q.850 cause in the Reason header
	Quiet      bool   // no events at all
}

// The ways a call ends (section 9, from the top).
var (
	EndUnknownX      = End{Word: "unknown_x", SIP: 404, Cause: 1, Quiet: true}
	EndXUnavailable  = End{Word: "x_unavailable", StateCode: 8055, FailReason: 8055, SIP: 403, Cause: 21}
	EndFrozen        = End{Word: "account_frozen", StateCode: 7108, FailReason: 7108, SIP: 403, Cause: 21}
	EndAppPaused     = End{Word: "app_paused", StateCode: 8018, FailReason: 8018, SIP: 403, Cause: 21}
	EndNoCalls       = End{Word: "no_call_permission", StateCode: 8018, FailReason: 8018, SIP: 403, Cause: 21}
	EndFault         = End{Word: "fault", StateCode: 8020, FailReason: 8020, SIP: 500, Cause: 41}
	EndNoneAX        = End{Word: "no_binding_ax", StateCode: 8018, FailReason: 7104, SIP: 403, Cause: 21}
	EndNoneAXE       = End{Word: "no_binding_axe", StateCode: 8018, FailReason: 8018, SIP: 403, Cause: 21}
	EndNoneAXB       = End{Word: "no_binding_axb", StateCode: 8014, FailReason: 8014, SIP: 403, Cause: 21}
	EndNoneAXYB      = End{Word: "no_binding_axyb", StateCode: 8030, FailReason: 8030, SIP: 403, Cause: 21}
	EndOwnX          = End{Word: "own_number", StateCode: 8032, FailReason: 8032, SIP: 403, Cause: 21}
	EndNoReply       = End{Word: "no_answer_from_app", StateCode: 8014, FailReason: 8014, SIP: 403, Cause: 21}
	EndBadReply      = End{Word: "bad_answer_from_app", StateCode: 8014, FailReason: 8014, SIP: 403, Cause: 21}
	EndNoPrompt      = End{Word: "prompt_missing", StateCode: 8006, FailReason: 8006, SIP: 403, Cause: 21}
	EndClosed        = End{Word: "closed_by_app", StateCode: 8017, FailReason: 8017, SIP: 403, Cause: 21}
	EndNoCallee      = End{Word: "no_temporary_callee", StateCode: 8013, FailReason: 8013, SIP: 403, Cause: 21}
	EndDirection     = End{Word: "direction", StateCode: 8016, FailReason: 8016, SIP: 403, Cause: 21}
	EndFixedCaller   = End{Word: "fixed_line_caller", StateCode: 8023, FailReason: 8023, SIP: 403, Cause: 21}
	EndCallerBlocked = End{Word: "caller_blacklisted", StateCode: 7005, FailReason: 7005, SIP: 403, Cause: 21}
	EndCalleeBlocked = End{Word: "callee_blacklisted", StateCode: 7004, FailReason: 7004, SIP: 403, Cause: 21}
	EndCalleeBarred  = End{Word: "callee_barred", StateCode: 7500, FailReason: 7500, SIP: 403, Cause: 21}
	EndCalleeForeign = End{Word: "callee_foreign", StateCode: 8043, FailReason: 8043, SIP: 403, Cause: 21}
	EndCallerForeign = End{Word: "caller_foreign", StateCode: 8042, FailReason: 8042, SIP: 403, Cause: 21}
	EndInUse         = End{Word: "in_use", StateCode: 8102, FailReason: 8102, SIP: 486, Cause: 17}
	EndAccountCalls  = End{Word: "account_calls", StateCode: 7109, FailReason: 7109, SIP: 486, Cause: 17}
	EndAccountRate   = End{Word: "account_rate", StateCode: 7001, FailReason: 7001, SIP: 480, Cause: 31}
	EndXCalls        = End{Word: "x_calls", StateCode: 8049, FailReason: 8049, SIP: 486, Cause: 17}
	EndXRate         = End{Word: "x_rate", StateCode: 7003, FailReason: 7003, SIP: 480, Cause: 31}
	EndTalkSpent     = End{Word: "minutes_spent", StateCode: 8044, FailReason: 8044, SIP: 403, Cause: 21}
	EndNight         = End{Word: "night", StateCode: 8050, FailReason: 8050, SIP: 403, Cause: 21}
	EndWrongExt      = End{Word: "wrong_extension", StateCode: 8022, FailReason: 8022, Cause: 1}
	EndNothing       = End{Word: "nothing_entered", StateCode: 8033, FailReason: 8033, Cause: 18}
	EndLeftCollect   = End{Word: "left_before_extension", StateCode: 7516, FailReason: 7516}
	EndNoCallback    = End{Word: "no_callback", StateCode: 8019, FailReason: 8019, SIP: 404, Cause: 1}
	EndLeftEarly     = End{Word: "left_before_ringing", StateCode: 7501, FailReason: 7501, SIP: 487, Cause: 16}
	EndLeftRinging   = End{Word: "left_while_ringing", StateCode: 7502, FailReason: 8009, SIP: 487, Cause: 16}
	EndBusy          = End{Word: "callee_busy", StateCode: 8102, FailReason: 8102, SIP: 486, Cause: 17}
	EndRejected      = End{Word: "callee_rejected", StateCode: 7503, FailReason: 7504, SIP: 603, Cause: 21}
	EndNoAnswer      = End{Word: "callee_no_answer", StateCode: 8101, FailReason: 8101, SIP: 480, Cause: 19}
	EndRingTimeout   = End{Word: "ring_timeout", StateCode: 8035, FailReason: 8035, SIP: 480, Cause: 19}
	EndNoSuchCallee  = End{Word: "callee_does_not_exist", StateCode: 8100, FailReason: 8100, SIP: 404, Cause: 1}
	EndAbsent        = End{Word: "callee_absent", StateCode: 8103, FailReason: 8103, SIP: 480, Cause: 20}
	EndOff           = End{Word: "callee_off", StateCode: 8104, FailReason: 8104, SIP: 480, Cause: 27}
	EndSuspended     = End{Word: "callee_suspended", StateCode: 8105, FailReason: 8105, SIP: 480, Cause: 22}
	EndTrunk         = End{Word: "trunk_error", StateCode: 8020, FailReason: 7506, SIP: 503, Cause: 38}
	EndNoRoute       = End{Word: "all_routes_failed", StateCode: 8020, FailReason: 7508, SIP: 503, Cause: 38}
	EndOverload      = End{Word: "overload", StateCode: 522, FailReason: 522, SIP: 503, Cause: 34}
	EndTalk          = End{Word: "talk_ended", Cause: 16}
	EndMaxDuration   = End{Word: "max_duration", StateCode: 8010, FailReason: 8010, Cause: 16}
	EndStopped       = End{Word: "stop_call", StateCode: 8017, FailReason: 8017, SIP: 480, Cause: 16}
	EndCallerGone    = End{Word: "caller_media_gone", StateCode: 8020, FailReason: 7505, SIP: 500, Cause: 41}
	EndCalleeGone    = End{Word: "callee_media_gone", StateCode: 8020, FailReason: 7506, SIP: 500, Cause: 41}
	EndNodeDied      = End{Word: "node_died", StateCode: 8020, FailReason: 8020, SIP: 500, Cause: 41}
)
