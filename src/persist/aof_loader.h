// SPDX-License-Identifier: BSD-3-Clause
// AofLoader: one file of the append-only file into the keyspace: an RDB, if it begins with one,
// then commands, which are run by a session that nobody can refuse anything (grammar:
// aof_format.h). What stands behind MULTI runs when its EXEC has been read. Made by AppendOnly for
// one load. Engine thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "client/session.h"
#include "engine/engine.h"
#include "persist/aof_reader.h"
#include "persist/persistence.h"

namespace backplane {

class AofLoader {
 public:
  // Both outlive it.
  AofLoader(Engine& engine, Persistence& persistence)
      : engine_(engine), persistence_(persistence) {}

  // `last`: of the set; the only one that may end within a command, if the option says so: it is
  // cut there then. Returns the size that it has now. An error names the file and the offset; a
  // part has been loaded then.
  Result<uint64_t> Load(const std::string& path, const std::string& name, bool last);
  // What the RDB held that nobody could use.
  SnapshotExtras TakeExtras() { return std::move(extras_); }

 private:
  // Counts errors and keeps the text of the last one.
  class ErrorSink final : public NullSink {
   public:
    void Error(std::string_view text) override {
      text_ = text;
      NullSink::Error(text);
    }
    const std::string& text() const { return text_; }

   private:
    std::string text_;
  };
  struct File {
    const std::string& path;
    const std::string& name;
    int fd;
  };
  using Words = std::vector<std::string>;

  Status LoadRdb(const File& file, FileSource& source);
  Result<uint64_t> LoadCommands(const File& file, FileSource& source, bool last);
  Status Run(const File& file, uint64_t at, const std::vector<std::string_view>& args);
  Status Execute(const File& file, uint64_t at, const std::vector<std::string_view>& args,
                 const Command& command);
  Status RunTransaction(const File& file);
  // The command, or why there is none.
  Result<Command*> Find(const File& file, uint64_t at, const std::vector<std::string_view>& args);
  Result<uint64_t> Cut(const File& file, uint64_t valid, bool last);

  Engine& engine_;
  Persistence& persistence_;
  SnapshotExtras extras_;
  ErrorSink sink_;
  std::unique_ptr<Session> session_;
  bool in_transaction_ = false;
  uint64_t transaction_begin_ = 0;
  std::vector<Words> queue_;
  int errors_logged_ = 0;
};

}  // namespace backplane
