// SPDX-License-Identifier: BSD-3-Clause
// Fuzzes what reads a HyperLogLog: any string may be taken for one by PFCOUNT and PFMERGE. What is
// valid must give registers that its dense form gives, too, and take elements.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "value/hyperloglog.h"

using namespace backplane;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  if (!hyperloglog::IsValid(bytes)) return 0;
  hyperloglog::Registers registers = {};
  const bool whole = hyperloglog::MergeInto(bytes, &registers);
  const auto dense = hyperloglog::ToDense(bytes);
  if (whole != dense.has_value()) std::abort();
  if (!whole) return 0;
  hyperloglog::Estimate(registers);
  hyperloglog::Registers same = {};
  if (!hyperloglog::MergeInto(*dense, &same) || same != registers) std::abort();
  std::string grown = bytes;
  for (const std::string_view element : {"a", "b", "a longer element"}) {
    const auto place = hyperloglog::PlaceOf(element);
    if (hyperloglog::IsSparse(grown)) {
      hyperloglog::AddToSparse(&grown, place, 3000);
    } else {
      hyperloglog::AddToDense(grown.data(), place);
    }
  }
  return 0;
}
