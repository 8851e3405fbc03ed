// SPDX-License-Identifier: BSD-3-Clause
// BodyReader, BodyWriter: RDB readers and writers over memory, for bodies of module values. Engine
// thread.
#pragma once

#include <string_view>

#include "persist/byte_sink.h"
#include "persist/byte_source.h"
#include "persist/rdb_reader.h"
#include "persist/rdb_writer.h"

namespace backplane {

class BodyReader {
 public:
  // `bytes` outlives the reader.
  explicit BodyReader(std::string_view bytes) : source_(bytes), reader_(source_) {
    source_.set_checksum(false);
  }
  RdbReader* reader() { return &reader_; }

 private:
  MemorySource source_;
  RdbReader reader_;
};

class BodyWriter {
 public:
  // `compress`: LZF for long strings, for bytes that go to a disk or another server.
  explicit BodyWriter(bool compress) : writer_(sink_, 11, compress) {}
  ValueWriter* writer() { return &writer_; }
  // Valid until the next write or Clear.
  std::string_view bytes() { return sink_.bytes(); }
  // Starts another body.
  void Clear() { sink_.Clear(); }

 private:
  MemorySink sink_;
  RdbWriter writer_;
};

}  // namespace backplane
