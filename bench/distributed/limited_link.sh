#!/bin/sh
# Two ranks of Open MPI, each in a network namespace of its own, and between them a link that a token bucket limits: which transfers hide
# behind work. As root, with iproute2:
#
#   sh bench/distributed/limited_link.sh <bench_ring> <rate, such as 400mbit> [argument of bench_ring...]
set -eu
program=$1 rate=$2
shift 2

agent=$(mktemp)
tidy() {
  ip netns del longspan_0 2>/dev/null || true
  ip netns del longspan_1 2>/dev/null || true
  rm -f "$agent"
}
trap tidy EXIT
trap 'exit 1' INT TERM

ip netns add longspan_0
ip netns add longspan_1
ip link add to_1 netns longspan_0 type veth peer name to_0 netns longspan_1
ip -n longspan_0 addr add 10.77.0.1/24 dev to_1
ip -n longspan_1 addr add 10.77.0.2/24 dev to_0
for end in "longspan_0 to_1" "longspan_1 to_0"; do
  set -- ${end} "$@"
  ip -n "$1" link set lo up
  ip -n "$1" link set "$2" up
  tc -n "$1" qdisc add dev "$2" root tbf rate "$rate" burst 256kb latency 50ms
  shift 2
done
# Until both ends are up, connections are not answered.
until ip -n longspan_0 link show to_1 | grep -q 'state UP' && ip -n longspan_1 link show to_0 | grep -q 'state UP'; do sleep 0.1; done

# What mpirun takes for ssh: a host, and what is to run there.
cat >"$agent" <<'END'
#!/bin/sh
shift
exec ip netns exec longspan_1 sh -c "$*"
END
chmod +x "$agent"
ip netns exec longspan_0 mpirun --allow-run-as-root --bind-to none --host 10.77.0.1,10.77.0.2 -np 2 --mca plm_rsh_agent "$agent" \
  --mca oob_tcp_if_include 10.77.0.0/24 --mca btl tcp,self --mca btl_tcp_if_include 10.77.0.0/24 "$program" "$@"
