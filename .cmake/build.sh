# Sourced by the scripts that build something from a bare machine. POSIX sh.

# install_packages <package>...: installs those of Debian's packages that are missing, and touches nothing if none is.
install_packages() {
  if ! command -v dpkg-query >/dev/null 2>&1; then
    echo "This is not Debian: what is needed must be there already, under other names than $*." >&2
    return 0
  fi
  missing=
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "Missing:$missing. There is no apt-get to install them with." >&2
    return 1
  fi
  as_root=
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null 2>&1; then
      echo "Missing:$missing. Install them as root: there is no sudo to do it with." >&2
      return 1
    fi
    as_root=sudo
  fi
  echo "Installing$missing" >&2
  apt_get="$as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300"
  if ! { $apt_get update && $apt_get install -y --no-install-recommends $missing; } </dev/null >&2; then
    echo "Could not install$missing: see what apt-get says above." >&2
    return 1
  fi
}

# configure <build folder> <option>...: anew if the folder was made for another source tree.
configure() {
  folder=$1
  shift
  cache=$folder/CMakeCache.txt
  if [ -f "$cache" ] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$root" "$cache"; then
    rm -rf "$folder"
  fi
  if [ ! -f "$cache" ] && command -v ninja >/dev/null 2>&1; then
    set -- -G Ninja "$@"
  fi
  cmake -S "$root" -B "$folder" "$@"
}

cores() {
  nproc 2>/dev/null || echo 1
}
