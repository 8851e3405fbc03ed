// SPDX-License-Identifier: BSD-3-Clause
#include "persist/aof_loader.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/ascii.h"
#include "persist/key_delay.h"
#include "persist/rdb_format.h"

namespace backplane {
namespace {

constexpr uint64_t kCommandsBetweenLooks = 1024;
constexpr int kErrorsLoggedMax = 100;
constexpr char kCalledOff[] = "the load was called off";

std::string AtText(const std::string& name, uint64_t offset) {
  return name + " at offset " + std::to_string(offset);
}

std::string BadFormat(const std::string& name, uint64_t offset) {
  return "Bad file format reading the append only file " + AtText(name, offset) +
         ": make a backup of your AOF file, then use ./redis-check-aof --fix <filename.manifest>";
}

std::string EarlyEnd(const std::string& name, uint64_t offset) {
  return "Unexpected end of file reading the append only file " + AtText(name, offset) +
         ". You can: 1) Make a backup of your AOF file, then use ./redis-check-aof --fix "
         "<filename.manifest>. 2) Alternatively you can set the 'aof-load-truncated' configuration "
         "option to yes and restart the server.";
}

bool BeginsWithRdb(int fd) {
  char mark[rdb::kMagic.size()];
  return pread(fd, mark, sizeof(mark), 0) == static_cast<ssize_t>(sizeof(mark)) &&
         std::string_view(mark, sizeof(mark)) == rdb::kMagic;
}

}  // namespace

Result<uint64_t> AofLoader::Load(const std::string& path, const std::string& name, bool last) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    return Fail(ErrorCode::kIo, "Fatal error: can't open the append log file " + name +
                                    " for reading: " + std::strerror(errno));
  }
  const File file{path, name, fd};
  auto size = [&]() -> Result<uint64_t> {
    FileSource source(fd, persistence_.load_watcher());
    if (name.ends_with(".rdb") || BeginsWithRdb(fd)) {
      if (source.file_size() > 0) BP_RETURN_IF_ERROR(LoadRdb(file, source));
    }
    return LoadCommands(file, source, last);
  }();
  close(fd);
  return size;
}

Status AofLoader::LoadRdb(const File& file, FileSource& source) {
  const bool whole = file.name.ends_with(".rdb");
  engine_.logger().Notice(whole ? "Reading RDB base file on AOF loading..."
                                : "Reading RDB preamble from AOF file...");
  if (auto status = persistence_.LoadRdb(source, {}, &extras_); !status) {
    return Prefix(std::move(status).error(),
                  "Error reading the RDB preamble of the AOF file " + file.name);
  }
  if (!whole) engine_.logger().Notice("Reading the remaining AOF tail...");
  return {};
}

Result<uint64_t> AofLoader::LoadCommands(const File& file, FileSource& source, bool last) {
  session_ = std::make_unique<Session>(0, Session::Kind::kReplay, &sink_, nullptr);
  in_transaction_ = false;
  queue_.clear();
  AofReader reader(source);
  std::vector<std::string_view> args;
  for (uint64_t count = 1;; ++count) {
    switch (reader.Next(&args)) {
      case AofReader::Outcome::kCommand:
        break;
      case AofReader::Outcome::kEnd:
        if (in_transaction_) return Cut(file, transaction_begin_, last);
        return reader.begin();
      case AofReader::Outcome::kTruncated:
        return Cut(file, in_transaction_ ? transaction_begin_ : reader.begin(), last);
      case AofReader::Outcome::kBad:
        return Fail(ErrorCode::kCorrupt, BadFormat(file.name, reader.begin()));
      case AofReader::Outcome::kIoError:
        return Fail(ErrorCode::kIo, "Unrecoverable error reading the append only file " +
                                        AtText(file.name, reader.begin()) + ": " +
                                        std::strerror(source.error()));
    }
    BP_RETURN_IF_ERROR(Run(file, reader.begin(), args));
    if (const int64_t delay = engine_.settings().key_load_delay; delay != 0) [[unlikely]]
      DelayForKey(delay, count);
    if (count % kCommandsBetweenLooks == 0) {
      engine_.RefreshClock();
      if (!persistence_.OnCommandsLoaded(source.offset())) return Fail(ErrorCode::kIo, kCalledOff);
    }
  }
}

Result<Command*> AofLoader::Find(const File& file, uint64_t at,
                                 const std::vector<std::string_view>& args) {
  const Command* top = engine_.commands().Find(args[0]);
  std::string text;
  Command* command = engine_.Resolve(*session_, args, &text);
  if (command != nullptr) return command;
  constexpr size_t kNameShown = 128;
  if (top == nullptr) {
    text = "Unknown command '" + std::string(args[0].substr(0, kNameShown)) + "'";
  } else {
    text = "Malformed command (" + text + ")";
  }
  return Fail(ErrorCode::kCorrupt, text + " reading the append only file " + AtText(file.name, at));
}

Status AofLoader::Run(const File& file, uint64_t at, const std::vector<std::string_view>& args) {
  BP_ASSIGN_OR_RETURN(const Command* command, Find(file, at, args));
  const std::string& name = command->fullname;
  if (name == "multi" && !in_transaction_) {
    in_transaction_ = true;
    transaction_begin_ = at;
    return {};
  }
  if (in_transaction_ && name == "exec") return RunTransaction(file);
  if (in_transaction_ && name == "discard") {
    in_transaction_ = false;
    queue_.clear();
    return {};
  }
  if (in_transaction_) {
    queue_.emplace_back(args.begin(), args.end());
    return {};
  }
  return Execute(file, at, args, *command);
}

Status AofLoader::RunTransaction(const File& file) {
  in_transaction_ = false;
  std::vector<Words> queue;
  queue.swap(queue_);
  Engine::Unit unit(engine_);
  std::vector<std::string_view> views;
  for (const Words& words : queue) {
    views.assign(words.begin(), words.end());
    BP_ASSIGN_OR_RETURN(const Command* command, Find(file, transaction_begin_, views));
    BP_RETURN_IF_ERROR(Execute(file, transaction_begin_, views, *command));
  }
  return {};
}

Status AofLoader::Execute(const File& file, uint64_t at, const std::vector<std::string_view>& args,
                          const Command& command) {
  const uint64_t errors_before = sink_.error_count();
  engine_.Replay(*session_, command, args, sink_);
  if (sink_.error_count() == errors_before) [[likely]]
    return {};
  const std::string where = " for the command '" + command.fullname + "' of the append only file " +
                            AtText(file.name, at);
  // All that follows would go to a wrong database.
  if (command.fullname == "select") return Fail(ErrorCode::kOutOfRange, sink_.text() + where);
  if (errors_logged_++ < kErrorsLoggedMax) {
    engine_.logger().Warning("== CRITICAL == Error while loading: '" + sink_.text() + "'" + where);
  }
  return {};
}

Result<uint64_t> AofLoader::Cut(const File& file, uint64_t valid, bool last) {
  Logger& logger = engine_.logger();
  if (in_transaction_) {
    logger.Warning("Revert incomplete MULTI/EXEC transaction in AOF file " + file.name);
  }
  if (!engine_.settings().aof_load_truncated) {
    return Fail(ErrorCode::kCorrupt, EarlyEnd(file.name, valid));
  }
  if (!last) {
    return Fail(ErrorCode::kCorrupt,
                "Fatal error: the truncated file is not the last file: the append only file " +
                    file.name + " ends within the command at offset " + std::to_string(valid));
  }
  logger.Warning("!!! Warning: short read while loading the AOF file " + file.name + "!!!");
  logger.Warning("!!! Truncating the AOF " + file.name + " at offset " + std::to_string(valid) +
                 " !!!");
  if (truncate(file.path.c_str(), static_cast<off_t>(valid)) != 0) {
    return Fail(ErrorCode::kIo,
                "Error truncating the AOF file " + file.name + ": " + std::strerror(errno));
  }
  logger.Warning("AOF " + file.name + " loaded anyway because aof-load-truncated is enabled");
  return valid;
}

}  // namespace backplane
