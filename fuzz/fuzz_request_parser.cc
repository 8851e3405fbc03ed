// SPDX-License-Identifier: BSD-3-Clause
// Fuzzer of RequestParser: any bytes, given whole and given in pieces, make the same requests and
// the same error; nothing is read beyond the bytes given; what is consumed is what was there. The
// first byte chooses limits and authentication, the second the pieces.
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "base/random.h"
#include "resp/request_parser.h"

namespace {

using backplane::RequestLimits;
using backplane::RequestParser;

struct Talk {
  std::vector<std::vector<std::string>> requests;
  std::string error;
  bool operator==(const Talk&) const = default;
};

class Peer {
 public:
  Peer(bool authenticated, const RequestLimits& limits)
      : authenticated_(authenticated), limits_(limits) {}

  void Receive(std::string_view bytes) {
    buffer_.append(bytes);
    while (talk_.error.empty() && Step()) {
    }
  }
  const Talk& talk() const { return talk_; }

 private:
  // One Parse; false when it waits for more or has failed.
  bool Step() {
    // A block of exactly this size, at a new address each time: ASan guards its end, and views into
    // the last one are dead.
    const size_t size = buffer_.size();
    const auto exact = std::make_unique<char[]>(size);
    buffer_.copy(exact.get(), size);
    std::vector<std::string_view> args;
    size_t consumed = 0;
    switch (parser_.Parse({exact.get(), size}, authenticated_, limits_, &args, &consumed)) {
      case RequestParser::Outcome::kNeedMore:
        BP_ASSERT(args.empty());
        BP_ASSERT(parser_.needed() == 0 || parser_.needed() > size);
        return false;
      case RequestParser::Outcome::kError:
        talk_.error = parser_.error();
        BP_ASSERT(!talk_.error.empty());
        return false;
      case RequestParser::Outcome::kCommand:
        BP_ASSERT(consumed > 0 && consumed <= size);
        talk_.requests.emplace_back(args.begin(), args.end());
        buffer_.erase(0, consumed);
        return !buffer_.empty();
    }
    return false;
  }

  bool authenticated_;
  RequestLimits limits_;
  RequestParser parser_;
  std::string buffer_;
  Talk talk_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 2) return 0;
  const uint8_t choice = data[0];
  backplane::Random random(data[1] + 1u);
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 2, size - 2);
  RequestLimits limits;
  if ((choice & 2) != 0) limits.inline_bytes_max = 16;
  if ((choice & 4) != 0) limits.args_max = 3;
  if ((choice & 8) != 0) limits.bulk_bytes_max = 20;
  if ((choice & 16) != 0) limits.unauthenticated_args_max = 2;
  if ((choice & 32) != 0) limits.unauthenticated_bulk_bytes_max = 5;
  const bool authenticated = (choice & 1) == 0;

  Peer whole(authenticated, limits);
  whole.Receive(bytes);
  Peer pieces(authenticated, limits);
  const uint64_t piece_max = 1 + random.Below(30);
  for (size_t at = 0; at < bytes.size();) {
    const size_t piece = 1 + random.Below(piece_max);
    pieces.Receive(bytes.substr(at, piece));
    at += piece;
  }
  BP_ASSERT(whole.talk() == pieces.talk());
  return 0;
}
