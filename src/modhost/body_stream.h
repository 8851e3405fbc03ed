// SPDX-License-Identifier: BSD-3-Clause
// BodyReader, BodyWriter: RDB readers and writers over memory, for bodies of module values. Engine
// thread.
#pragma once

#include <string>
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
  ValueReader* reader() { return &reader_; }

 private:
  MemorySource source_;
  RdbReader reader_;
};

class BodyWriter {
 public:
  BodyWriter() : sink_(&bytes_), writer_(sink_, 11, true) {}
  ValueWriter* writer() { return &writer_; }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  StringSink sink_;
  RdbWriter writer_;
};

}  // namespace backplane
