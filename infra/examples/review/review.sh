#!/bin/sh
# Says what a change of the federation documents does, as a comment in Markdown.
#
#   review.sh OLD NEW AUDIT [EFFECTS] > comment.md
#
# OLD and NEW are documents or directories of them, AUDIT a trail of recent decisions (JSON lines, or .gz of them), and EFFECTS what
# is meant to happen, such as "gains" or "gains,loses".
#
# Ends with 0 where the change can be merged, with 1 where NEW is refused or somebody is affected whom EFFECTS does not cover, and
# with 2 where that could not be told. The comment is written in every case.
set -u

if [ $# -lt 3 ] || [ $# -gt 4 ]; then
  echo 'usage: review.sh OLD NEW AUDIT [EFFECTS]' >&2
  exit 2
fi
old=$1 new=$2 audit=$3 effects=${4:-}
chancery=${CHANCERY:-npx chancery}

# A comment holds 65,536 characters; three of these and what stands around them fit.
longest=20000

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# run NAME COMMAND…: keeps what the command says and how it ends.
run() {
  name=$1
  shift
  "$@" > "$scratch/$name" 2>&1
  echo $? > "$scratch/$name.code"
}

code() { cat "$scratch/$1.code"; }

# section NAME TITLE: a heading and what the command said, between fences that nothing in it can end: a document may have any text in
# its names, and a fence ends at a line that begins with tildes, whatever ends the line before it.
section() {
  printf '\n### %s\n\n~~~~~~~~text\n' "$2"
  head -c "$longest" "$scratch/$1" | tr '\r' '\n' | sed 's/^ *~/    &/'
  if [ "$(wc -c < "$scratch/$1")" -gt "$longest" ]; then printf '\n… and more than a comment holds'; fi
  printf '\n~~~~~~~~\n'
}

# $chancery may be a command with arguments.
# shellcheck disable=SC2086
run check $chancery check "$new" &
# shellcheck disable=SC2086
run diff $chancery diff "$old" "$new" &
# shellcheck disable=SC2086
run replay $chancery replay "$audit" "$new" ${effects:+--allow "$effects"} &
wait

if [ "$(code check)" -eq 1 ]; then
  verdict='**It cannot be used**: brokers would keep the document that they have.' end=1
elif [ "$(code check)" -ne 0 ] || [ "$(code diff)" -ne 0 ] || [ "$(code replay)" -gt 1 ]; then
  verdict='**What it does could not be told.**' end=2
elif [ "$(code replay)" -eq 1 ]; then
  verdict='**It affects workloads that came by lately.** Where that is meant, say so, by the effects that are allowed.' end=1
elif [ -n "$effects" ]; then
  verdict="It affects nobody who came by lately, but for what is allowed: $effects." end=0
else
  verdict='It affects nobody who came by lately.' end=0
fi

printf '<!-- chancery-review -->\n## Who is who, after this change\n\n%s\n' "$verdict"
section check 'Is it right?'
section diff 'What does it do?'
section replay 'To whom?'
exit "$end"
