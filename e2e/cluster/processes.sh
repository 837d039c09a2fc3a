# Starting and stopping the cluster's processes. Each is known by its process id and start time, so that
# a process which got the same id later is never taken for ours. Source it after lib.sh.
# shellcheck shell=bash

# Field 22 of stat, counted after the name, which may hold spaces. A process that has ended but that nobody has
# collected yet (state Z) has no start time: some machines' first process takes seconds to do so.
started_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" { print $20 }'; }

# alive NAME: whether the process recorded under NAME still runs.
alive() {
  local pid began
  [[ -r "$STATE/run/$1.pid" ]] || return 1
  read -r pid began <"$STATE/run/$1.pid" || return 1
  [[ -n "$began" && "$(started_at "$pid")" == "$began" ]]
}

# Whatever else the caller has open (locks, a test runner's pipes) must not stay open for the life of the cluster.
close_inherited() {
  local fd
  for fd in "/proc/$BASHPID/fd/"*; do
    fd="${fd##*/}"
    ((fd <= 2)) || eval "exec $fd>&-"
  done
}

# start NAME COMMAND...: runs COMMAND in a session of its own, so that it outlives the shell and its terminal.
start() {
  local name=$1
  shift
  ! alive "$name" || return 0
  mkdir -p "$STATE/run" "$STATE/logs"
  (
    exec </dev/null >>"$STATE/logs/$name.log" 2>&1
    close_inherited
    cd /
    exec setsid "$@"
  ) &
  echo "$! $(started_at $!)" >"$STATE/run/$name.pid"
}

# stop NAME SECONDS: asks, waits that long, then kills. With no seconds it kills at once.
stop() {
  local pid _
  if alive "$1"; then
    read -r pid _ <"$STATE/run/$1.pid"
    (($2 == 0)) || ask "$1" "$pid" "$2" || true
    ! alive "$1" || kill -KILL "$pid" 2>/dev/null || true
    ends_within "$1" 10 || die "$1 ($pid) does not end"
  fi
  rm -f "$STATE/run/$1.pid"
}

ask() {
  kill "$2" 2>/dev/null || true
  ends_within "$1" "$3"
}

ends_within() {
  local limit=$((SECONDS + $2))
  while alive "$1"; do
    ((SECONDS <= limit)) || return 1
    sleep 0.05
  done
}
