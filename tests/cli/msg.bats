# SPDX-License-Identifier: GPL-2.0-only
#
# mkctl msg: two mkctl on one pretended kernel talk to each other.

load helper

setup() {
	make_machine
	export MKFAKE_ROLE=host
	"$fake" spawn web.json > /dev/null
}

# recv_in_background OPTION...: a listener at port 7, its output in recv.txt
recv_in_background() {
	"$fake" msg recv "$@" 7 3>&- > recv.txt 2> recv.err &
	receiver=$!
}

# send ARGS...: as soon as somebody listens
send() {
	local tries

	for tries in {1..100}; do
		status=0
		MKFAKE_ROLE=instance "$fake" msg send "$@" > send.txt 2> send.err || status=$?
		[ $status -eq 4 ] || return 0
		sleep 0.05
	done
	echo "nobody listened after $tries tries"
	return 1
}

@test "msg ping prints what the style wants, as text and JSON" {
	run --separate-stderr -0 "$fake" msg ping web -c 20 -s 100
	is "web: 20 messages of 100 bytes, 0 lost" "${lines[0]}"
	[[ ${lines[1]} =~ ^min\ [0-9.]+\ us,\ median\ [0-9.]+\ us,\ p99\ [0-9.]+\ us,\ max\ [0-9.]+\ us$ ]]
	run --separate-stderr -0 "$fake" msg ping web -j
	is mkctl.msg-ping/1 "$(jq -r .schema <<< "$output")"
	is "web 64 100 100 0" "$(jq -r '"\(.peer) \(.message_bytes) \(.sent) \(.received) \(.lost)"' <<< "$output")"
	is true "$(jq '.min_us > 0 and .min_us <= .median_us and .median_us <= .p99_us and .p99_us <= .max_us' <<< "$output")"
}

@test "msg ping with messages of 1 byte and of the most" {
	run -0 "$fake" msg ping web -c 300 -s 1
	has "300 messages of 1 bytes, 0 lost" "${lines[0]}"
	run -0 "$fake" msg ping web -c 3 -s 256
}

@test "msg ping from an instance to the host" {
	MKFAKE_ROLE=instance run --separate-stderr -0 "$fake" msg ping host -c 3
	is "host: 3 messages of 64 bytes, 0 lost" "${lines[0]}"
}

@test "msg ping: what is refused" {
	run --separate-stderr -4 "$fake" msg ping nobody
	is "mkctl: msg ping: nobody:0: there is no kernel 'nobody' on this machine" "${stderr_lines[0]}"
	has "hint: " "${stderr_lines[1]}"
	"$fake" kill web
	run --separate-stderr -5 "$fake" msg ping web
	has "the kernel 'web' does not run (it is killed)" "${stderr_lines[0]}"
	run --separate-stderr -3 "$fake" msg ping host -j
	is peer-self "$(jq -r .error.reason <<< "$stderr")"
	for bad in 0 257 1K; do
		run --separate-stderr -2 "$fake" msg ping web -s $bad
		has "--size takes 1 to 256 bytes" "${stderr_lines[0]}"
	done
	run --separate-stderr -2 "$fake" msg ping web -s 1x
	run --separate-stderr -2 "$fake" msg ping
	is "mkctl: msg ping: needs NAME" "${stderr_lines[0]}"
	has "usage: mkctl msg ping NAME" "${stderr_lines[1]}"
}

@test "msg send and recv: a text" {
	recv_in_background
	send web 7 "hello over there"
	is 0 $status
	wait $receiver
	is "hello over there" "$(cat recv.txt)"
}

@test "msg recv: many messages as lines, and nothing acts on a terminal" {
	recv_in_background -c 1
	send web 7 $'a\e[31mb\nc'
	wait $receiver
	is 'a\x1b[31mb\x0ac' "$(cat recv.txt)"
}

@test "msg recv as JSON: one object per line" {
	recv_in_background -j
	send web 7 $'h\303\251\377' -j
	is "7 1 4" "$(jq -r '"\(.port) \(.messages) \(.bytes)"' send.txt)"
	is mkctl.msg-send/1 "$(jq -r .schema send.txt)"
	wait $receiver
	is 'mkctl.msg-recv/1 4 hé\xff 68c3a9ff' "$(jq -r '"\(.schema) \(.bytes) \(.text) \(.hex)"' recv.txt)"
}

@test "msg send --from and recv --raw: a file of any bytes" {
	head -c 10000 /dev/urandom > file
	recv_in_background --raw
	send web 7 --from file -j
	is "40 10000" "$(jq -r '"\(.messages) \(.bytes)"' send.txt)"
	wait $receiver
	cmp file recv.txt
	recv_in_background --raw
	send web 7 - < file
	wait $receiver
	cmp file recv.txt
}

@test "msg recv: the other end closes too early" {
	recv_in_background -c 3
	send web 7 one
	status=0
	wait $receiver || status=$?
	is 1 $status
	is "mkctl: msg recv: the other end has closed after 1 of 3 messages" "$(head -n 1 recv.err)"
}

@test "msg recv: nobody calls" {
	run --separate-stderr -7 "$fake" msg recv 7 --timeout 1
	is "mkctl: msg recv: anybody:7: nobody has called in 1000 ms" "${stderr_lines[0]}"
	is "" "$output"
}

@test "msg send: what is refused" {
	run --separate-stderr -4 "$fake" msg send web 7 x
	is "mkctl: msg send: web:7: nobody listens at port 7 of 'web'" "${stderr_lines[0]}"
	for bad in 0 65536 -1 7x ''; do
		run --separate-stderr -2 "$fake" msg send web -- "$bad" x
	done
	run --separate-stderr -2 "$fake" msg send web 65536 x
	has "a port is a whole number from 1 to 65535, not '65536'" "${stderr_lines[0]}"
	run --separate-stderr -2 "$fake" msg send web 7 x --from file
	has "a text and --from do not go together" "${stderr_lines[0]}"
	run --separate-stderr -2 "$fake" msg send web 7 "$(printf %257s x)"
	has "the text has 257 bytes, a message at most 256" "${stderr_lines[0]}"
	run --separate-stderr -3 "$fake" msg send web 7 --from no-such
	has "no-such: cannot open" "${stderr_lines[0]}"
	run --separate-stderr -2 "$fake" msg recv 7 -j --raw
	run --separate-stderr -2 "$fake" msg
	is "mkctl: msg: needs ping|send|recv" "${stderr_lines[0]}"
	run --separate-stderr -2 "$fake" msg sing
	is "mkctl: msg: unknown command 'sing'" "${stderr_lines[0]}"
	run --separate-stderr -2 "$fake" msg -j ping web
	is usage "$(jq -r .error.code <<< "$stderr")"
}
