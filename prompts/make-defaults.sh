#!/bin/sh
# Makes the prompts that are shipped (shipped/), the samples for labs (samples/)
# and the MP3 of the tests. Needed only when a text changes:
#   apt-get install espeak-ng sox libsox-fmt-mp3
# A file says its text in Mandarin and then in English, in the band of
# telephones and at the level of operators' announcements. Texts differ from
# each other even in their parts, so that tests can tell which one was heard.
set -eu
cd "$(dirname "$0")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

level=-16 # about the RMS of a file in dB below full scale

say() { # file, Mandarin, English
	# The voice cmn would read the pinyin that it finds for a character as English.
	espeak-ng -v cmn-latn-pinyin -s 190 -p 45 -w "$work/zh.wav" "$2"
	espeak-ng -v en-us -s 180 -p 40 -w "$work/en.wav" "$3"
	for l in zh en; do # without the silence around it
		sox "$work/$l.wav" "$work/$l-cut.wav" silence 1 0.01 0.5% reverse silence 1 0.01 0.5% reverse
	done
	sox "$work/zh-cut.wav" "$work/pause.wav" trim 0 0.001 gain -99 pad 0 0.25
	sox "$work/zh-cut.wav" "$work/pause.wav" "$work/en-cut.wav" -r 8000 "$work/all.wav" sinc 250-3400 rate -v
	rms=$(sox "$work/all.wav" -n stats 2>&1 | awk '/^RMS lev dB/ { print $4 }')
	# The limiter takes a little of what the gain gives.
	gain=$(awk "BEGIN { print $level - ($rms) + 0.5 }")
	sox -D "$work/all.wav" -e a-law -b 8 -c 1 "$1" gain -l "$gain" pad 0.1 0.1
}

say shipped/no_permission.wav '对不起，您无权呼叫该号码。' 'Sorry, you may not call this number.'
say shipped/no_binding.wav '您所拨的号码没有绑定用户。' 'Nobody is bound to the number you dialled.'
say shipped/service_exception.wav '服务异常，请过一会儿再试。' 'The service has a problem. Try again soon.'
say shipped/enter_extension.wav '请输入分机号，按井号键结束。' 'Enter the extension, then press hash.'
say shipped/extension_wrong.wav '分机错误，再见。' 'Wrong extension. Goodbye.'
say shipped/no_callback.wav '目前没有可以回拨的来电。' 'There is no caller to ring back.'
say shipped/record_hint.wav '本次通话将被录音。' 'This call will be recorded.'
say shipped/busy.wav '对方正在通话中，请稍后再拨。' 'The line is engaged. Please call later.'

say samples/please_wait.wav '正在为您接通，请稍候。' 'Please hold while we connect you.'
say samples/last_minute.wav '通话还剩一分钟。' 'One minute is left.'

# 1 kHz for 1 s, as a recorder may deliver it.
sox -n -r 44100 -c 2 -C 64 testdata/tone.mp3 synth 1 sine 1000 gain -12
