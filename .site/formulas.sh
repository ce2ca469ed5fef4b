#!/bin/sh
# A page for Doxygen: formulas between dollars as it writes them, pictures by their names, and links to files that are no pages of the site
# as their names.
#   sh formulas.sh <page>
exec awk '
  function replaced(text, pattern,   found, name) {
    while (match(text, pattern)) {
      found = substr(text, RSTART, RLENGTH)
      if (pattern ~ /[$]/)
        name = "\\f(" substr(found, 2, length(found) - 2) "\\f)"
      else {
        name = found
        sub(/^\[/, "", name)
        sub(/\]\(.*/, "", name)
      }
      text = substr(text, 1, RSTART - 1) name substr(text, RSTART + RLENGTH)
    }
    return text
  }
  /^```/ { code = !code }
  code || /^```/ { print; next }
  /^\$\$.*\$\$$/ { print "\\f[" substr($0, 3, length($0) - 4) "\\f]"; next }
  {
    # Outside of `code`, a pair of dollars is a formula.
    n = split($0, part, "`")
    line = ""
    for (i = 1; i <= n; ++i) line = line (i > 1 ? "`" : "") (i % 2 ? replaced(part[i], "[$][^$]+[$]") : part[i])
    while (match(line, /!\[[^]]*\]\([^)]*\//)) {
      found = substr(line, RSTART, RLENGTH)
      sub(/\([^(]*$/, "(", found)
      line = substr(line, 1, RSTART - 1) found substr(line, RSTART + RLENGTH)
    }
    print replaced(line, "\\[[^]]*\\]\\((\\.\\./[^)]*|[a-z_]*\\.cpp)\\)")
  }' "$1"
