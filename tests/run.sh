#!/usr/bin/env bash
# Builds everything with warnings as errors and runs every test; the last line is "N passed, N failed".
# The tests' own count comes from their result files, so that no runner's wording matters.
set -u
cd "$(dirname "$0")/.."
results=artifacts/results
rm -rf "$results"; mkdir -p "$results"
failed=0 passed=0

step() {
  local name=$1; shift
  echo "== $name"
  if "$@"; then passed=$((passed + 1)); else echo "FAILED: $name"; failed=$((failed + 1)); fi
}

finish() {
  local file total ok
  for file in "$results"/*.trx; do
    [ -e "$file" ] || continue
    total=$(grep -o '<Counters [^>]*' "$file" | sed -E 's/.* total="([0-9]+)".*/\1/')
    ok=$(grep -o '<Counters [^>]*' "$file" | sed -E 's/.* passed="([0-9]+)".*/\1/')
    passed=$((passed + ok)); failed=$((failed + total - ok))
  done
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ]
}

step "build, warnings as errors" dotnet build SyncEngine.sln -c Release -v q --nologo
[ "$failed" = 0 ] || { finish; exit 1; }
for project in tests/*.Tests/*.csproj; do
  name=$(basename "$project" .csproj)
  echo "== $name"
  timeout 600 dotnet test "$project" -c Release --no-build --nologo -v q \
    --logger "trx;LogFileName=$PWD/$results/$name.trx" || echo "$name" >>"$results/unclean"
  # A run that ended without a result file, or badly though each test that ran had passed, has failed all the same.
  if ! [ -e "$results/$name.trx" ]; then
    echo "FAILED: $name left no results"; failed=$((failed + 1))
  elif grep -qs "^$name\$" "$results/unclean" && ! grep -q ' failed="[1-9]' "$results/$name.trx"; then
    echo "FAILED: $name ended badly"; failed=$((failed + 1))
  fi
done
native=artifacts/publish/SyncEngine.AotSmoke/release
step "native AOT publish, warnings as errors" dotnet publish tests/SyncEngine.AotSmoke -c Release -v q --nologo
step "native AOT program runs" sh -c "[ \"\$($native/SyncEngine.AotSmoke)\" = ok ]"
finish
