#!/usr/bin/env bash
# Runs peers and this engine on the same workloads, one process at a time, and prints one table.
#   ./run.sh                              all peers
#   ./run.sh yjs ywasm                    only these
#   WORKLOADS=W2,W3 RECORDS=10000 ./run.sh yjs
set -euo pipefail
cd "$(dirname "$0")"

peers=("$@")
[ ${#peers[@]} -gt 0 ] || peers=(yjs ywasm json-joy loro automerge)
workloads=${WORKLOADS:-W1,W1s,W2,W3,W4,W5,W6,W7}
export RECORDS=${RECORDS:-100000} REPEATS=${REPEATS:-3}
limit=${LIMIT:-110}
results=$(mktemp)
trap 'rm -f "$results"' EXIT

[ -d node_modules ] || npm install --no-package-lock --ignore-scripts --no-audit --no-fund >&2
project=../SyncEngine.Benchmarks/SyncEngine.Benchmarks.csproj
dotnet build -c Release -v quiet --nologo "$project" >&2
benchmarks=$(dotnet msbuild "$project" -getProperty:TargetPath -p:Configuration=Release)

# A workload that takes too long or fails is left out of the table; the others still count.
measure() {
  local label=$1
  shift
  timeout --signal=KILL "$limit" "$@" | tee -a "$results" >&2 || echo "$label: no result within $limit s" >&2
}

for workload in ${workloads//,/ }; do
  ours=(dotnet "$benchmarks" workloads "$workload" --records "$RECORDS" --repeats "$REPEATS")
  measure "floor $workload" "${ours[@]}" --floor
  measure "syncengine $workload" "${ours[@]}"
  for peer in "${peers[@]}"; do
    measure "$peer $workload" node --expose-gc --max-old-space-size=8192 bench.mjs "$peer" "$workload"
  done
done
node table.mjs "$results" "${peers[@]}"
