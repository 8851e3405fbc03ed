// SPDX-License-Identifier: BSD-3-Clause
// Shared steps of the RDB loaders; contract in load_support.h.
#include "value/load_support.h"

#include <algorithm>
#include <vector>

#include "base/hash.h"
#include "value/ziplist.h"

namespace backplane {

std::unexpected<Error> Corrupt(const char* what) { return Fail(ErrorCode::kCorrupt, what); }

Result<uint64_t> ReadCount(ValueReader& reader, size_t min_bytes) {
  BP_ASSIGN_OR_RETURN(const uint64_t count, reader.ReadLength());
  if (count > reader.remaining() / min_bytes) return Corrupt("more elements announced than follow");
  return count;
}

Result<Listpack> ListpackFromBytes(std::string_view bytes) {
  if (!ValidateListpack(bytes)) return Corrupt("malformed listpack");
  return Listpack::CopyOf(bytes);
}

Result<Listpack> ListpackFromZiplist(std::string_view bytes) {
  auto reader = ZiplistReader::Open(bytes);
  if (!reader) return Corrupt("malformed ziplist");
  // An entry's bookkeeping takes up to six bytes more than in a ziplist.
  if (bytes.size() + size_t{reader->count()} * 6 >= Listpack::kMaxBytes) {
    return Corrupt("ziplist too large");
  }
  Listpack pack(bytes.size());
  for (Item item; reader->Next(&item);) pack.Append(item);
  return pack;
}

Result<Listpack> ListpackFromZipmap(std::string_view bytes) {
  auto reader = ZipmapReader::Open(bytes);
  if (!reader) return Corrupt("malformed zipmap");
  if (bytes.size() + size_t{reader->count()} * 12 >= Listpack::kMaxBytes) {
    return Corrupt("zipmap too large");
  }
  Listpack pack(bytes.size());
  std::string_view field;
  std::string_view value;
  while (reader->Next(&field, &value)) {
    pack.Append(field);
    pack.Append(value);
  }
  return pack;
}

bool ElementsAreDistinct(const Listpack& pack, uint32_t step) {
  struct Hashed {
    uint64_t hash;
    Listpack::Position at;
  };
  std::vector<Hashed> elements;
  elements.reserve(pack.Count() / step + 1);
  uint32_t index = 0;
  ItemText scratch;
  ItemText other_scratch;
  for (auto at = pack.First(); at != Listpack::kNone; at = pack.Next(at)) {
    if (index++ % step == 0) elements.push_back({HashBytes(pack.Get(at).Text(scratch)), at});
  }
  // By text where hashes collide, so that equal elements always end up side by side. A file may
  // spell an integer as text, so the text is what counts.
  const auto text_less = [&](const Hashed& a, const Hashed& b) {
    return pack.Get(a.at).Text(scratch) < pack.Get(b.at).Text(other_scratch);
  };
  std::sort(elements.begin(), elements.end(), [&](const Hashed& a, const Hashed& b) {
    return a.hash != b.hash ? a.hash < b.hash : text_less(a, b);
  });
  return std::adjacent_find(elements.begin(), elements.end(),
                            [&](const Hashed& a, const Hashed& b) {
                              return a.hash == b.hash && !text_less(a, b);
                            }) == elements.end();
}

}  // namespace backplane
