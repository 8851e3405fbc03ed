// SPDX-License-Identifier: BSD-3-Clause
// What every sink shares.
#include "resp/reply_sink.h"

#include "base/numbers.h"

namespace backplane {

void ReplySink::BulkInteger(int64_t value) {
  char digits[kNumberTextMax];
  Bulk({digits, Int64ToText(value, digits)});
}

}  // namespace backplane
