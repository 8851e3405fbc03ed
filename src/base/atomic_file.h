// SPDX-License-Identifier: BSD-3-Clause
// WriteFileAtomically: small files that people read as well (configuration, users). Snapshots have
// persist/replacement_file.h. Any thread.
#pragma once

#include <string>

#include "base/result.h"

namespace backplane {

// Puts `text` in the place of the file at once or not at all: by a temporary file beside it, forced
// to the disk first. The mode of a file that was there stays. kIo: the message is the system's.
Status WriteFileAtomically(const std::string& path, const std::string& text);

}  // namespace backplane
