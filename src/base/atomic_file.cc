// SPDX-License-Identifier: BSD-3-Clause
#include "base/atomic_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace backplane {

Status WriteFileAtomically(const std::string& path, const std::string& text) {
  std::string temporary = path + "." + std::to_string(getpid()) + ".tmp";
  // Who may read the file that it replaces may read it, and nobody else: it may hold passwords.
  struct stat old;
  const bool replaces = stat(path.c_str(), &old) == 0;
  int fd =
      open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, replaces ? 0600 : 0644);
  if (fd < 0) return Fail(ErrorCode::kIo, std::strerror(errno));
  bool ok = !replaces || fchmod(fd, old.st_mode & 07777) == 0;
  size_t done = 0;
  while (ok && done < text.size()) {
    ssize_t n = write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    ok = n >= 0;
    if (ok) done += static_cast<size_t>(n);
  }
  ok = ok && fsync(fd) == 0;
  int saved = errno;
  close(fd);
  if (ok && rename(temporary.c_str(), path.c_str()) == 0) return {};
  if (ok) saved = errno;
  unlink(temporary.c_str());
  return Fail(ErrorCode::kIo, std::strerror(saved));
}

}  // namespace backplane
