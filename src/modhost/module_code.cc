// SPDX-License-Identifier: BSD-3-Clause
// ModuleCode: the innermost mark of each thread.
#include "modhost/module_code.h"

namespace backplane {

constinit thread_local const ModuleCode* ModuleCode::innermost_ = nullptr;

}  // namespace backplane
