# An agent that nothing but SIGKILL ends: it ignores signals, and a second process of it leaves its tree.
# JOURNAL TOKEN BEATS SESSION [apart]
trap '' PIPE TERM HUP INT
journal=$1 token=$2 beats=$3 session=$4
note() { printf '%s %s %s %s\n' "${PWD##*/}" "$token" "$$" "$1" >> "$journal"; }
if [ "$5" != apart ]; then
  (setsid sh "$0" "$journal" "$token" 200 "$session" apart > /dev/null 2>&1 &)
  note begin
  echo "session $session"
fi
while [ "$beats" -gt 0 ]; do
  note work
  sleep 0.02
  beats=$((beats - 1))
done
[ "$5" = apart ] || note end
echo "done"
