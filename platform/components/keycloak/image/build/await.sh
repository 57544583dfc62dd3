# shellcheck shell=bash
# Waiting for a server as long as it makes progress, however slow the machine is.

# cpu_ticks PROCESS: the processor time that it has used, in hundredths of a second (proc_pid_stat(5), fields 14 and 15)
cpu_ticks() {
  local stat
  stat=$(<"/proc/$1/stat") || return
  # The second field, the program's name, may hold spaces.
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  echo $((${12} + ${13}))
}

# await_ready SECONDS PROCESS LOG COMMAND...
# Returns when COMMAND succeeds. Fails when PROCESS, a child of this shell, has ended, and when for
# SECONDS its LOG has not grown and it has used less than a fiftieth of a processor: what hangs
# uses less, what starts on a busy machine more. What failed is said last, after the end of the log.
await_ready() {
  local stretch=$1 process=$2 log=$3 since=$SECONDS ticks=0 size=0 ticks_now size_now problem='' status=0
  shift 3
  until "$@"; do
    if ! ticks_now=$(cpu_ticks "$process" 2>/dev/null); then
      wait "$process" || status=$?
      problem="ended with status $status"
      break
    fi
    size_now=$(stat --format=%s "$log")
    if [ "$size_now" -gt "$size" ] || [ "$ticks_now" -ge $((ticks + 2 * stretch)) ]; then
      since=$SECONDS ticks=$ticks_now size=$size_now
    elif [ $((SECONDS - since)) -ge "$stretch" ]; then
      problem="neither logged nor computed for $stretch s"
      break
    fi
    sleep 0.5
  done
  [ -n "$problem" ] || return 0
  tail -n 40 "$log" >&2
  echo "the server was not ready when it $problem: $(grep -m 1 -E 'ERROR|FATAL' "$log" || tail -n 1 "$log")" >&2
  return 1
}
