// SPDX-License-Identifier: BSD-3-Clause
// MIGRATE: keys go to another server by RESTORE there and DEL here. It waits for the other server,
// and everybody waits with it, as long as its timeout says for each step.
//
// What is sent, in one piece: [AUTH [user] password] [SELECT db] and for each key
// RESTORE key ttl payload [REPLACE]; each is answered by one line.
#include <algorithm>
#include <optional>
#include <string>
#include <vector>

#include "base/ascii.h"
#include "base/numbers.h"
#include "command/context.h"
#include "commands/persist/migration_peers.h"
#include "engine/engine.h"
#include "persist/dump_payload.h"

namespace backplane {
namespace {

constexpr std::string_view kConnectFailed = "IOERR error or timeout connecting to the client";
constexpr std::string_view kWriteFailed = "IOERR error or timeout writing to target instance";
constexpr std::string_view kReadFailed = "IOERR error or timeout reading to target instance";

// Where the words of a call stand.
constexpr size_t kKeyAt = 3;
constexpr size_t kOptionsAt = 6;

struct MigrateRequest {
  MigrationPeers::Address address;
  int64_t db = 0;
  int64_t timeout_ms = 0;
  bool copy = false;
  bool replace = false;
  std::vector<std::string_view> credentials;  // what follows AUTH
  std::vector<std::string_view> keys;
};

// Takes AUTH or AUTH2 at *i with what follows; false after an error reply.
bool ParseCredentials(CommandContext& ctx, size_t* i, MigrateRequest* request) {
  const size_t words = ctx.ArgIs(*i, "auth2") ? 2 : 1;
  if (*i + words >= ctx.argc()) {
    ctx.Error(errors::kSyntax);
    return false;
  }
  if (words == 2 || request->credentials.empty()) request->credentials.resize(words);
  // AUTH behind AUTH2 is another password of the same user.
  for (size_t word = 0; word < words; ++word) {
    ++*i;
    ctx.Redact(*i);
    request->credentials[request->credentials.size() - words + word] = ctx.arg(*i);
  }
  return true;
}

// The options and the keys; false after an error reply.
bool ParseOptions(CommandContext& ctx, MigrateRequest* request) {
  request->keys = {ctx.arg(kKeyAt)};
  for (size_t i = kOptionsAt; i < ctx.argc(); ++i) {
    if (ctx.ArgIs(i, "copy")) {
      request->copy = true;
    } else if (ctx.ArgIs(i, "replace")) {
      request->replace = true;
    } else if (ctx.ArgIs(i, "auth") || ctx.ArgIs(i, "auth2")) {
      if (!ParseCredentials(ctx, &i, request)) return false;
    } else if (ctx.ArgIs(i, "keys")) {
      if (!ctx.arg(kKeyAt).empty()) {
        ctx.Error(
            "ERR When using MIGRATE KEYS option, the key argument must be set to the empty string");
        return false;
      }
      const auto rest = ctx.args().subspan(i + 1);
      request->keys.assign(rest.begin(), rest.end());
      return true;
    } else {
      ctx.Error(errors::kSyntax);
      return false;
    }
  }
  return true;
}

std::optional<MigrateRequest> ParseRequest(CommandContext& ctx) {
  MigrateRequest request;
  if (!ParseOptions(ctx, &request)) return std::nullopt;
  request.address = {std::string(ctx.arg(1)), std::string(ctx.arg(2))};
  // What is no number is port 0, where nobody listens.
  if (!ParseInt64(request.address.port)) request.address.port = "0";
  const auto timeout = ctx.IntegerArg(5);
  if (!timeout) return std::nullopt;
  constexpr int64_t kDefaultTimeoutMs = 1000;
  request.timeout_ms = *timeout > 0 ? *timeout : kDefaultTimeoutMs;
  const auto db = ctx.IntegerArg(4);
  if (!db) return std::nullopt;
  request.db = *db;
  return request;
}

void AppendCommand(std::initializer_list<std::string_view> words, std::string* out) {
  const auto number = [&](char tag, size_t value) {
    *out += tag;
    *out += Int64ToString(static_cast<int64_t>(value));
    *out += "\r\n";
  };
  number('*', words.size());
  for (const std::string_view word : words) {
    number('$', word.size());
    out->append(word);
    *out += "\r\n";
  }
}

// One call, from the first connection on.
class Migration {
 public:
  Migration(CommandContext& ctx, const MigrateRequest& request)
      : ctx_(ctx), request_(request), peers_(ctx.owner<MigrationPeers>()) {}

  void Run();

 private:
  enum class Step : uint8_t { kDone, kFailed, kRetry };
  Step Try();
  // With the reply in *why. `may_repeat`: the connection may just have grown old.
  Step FailIo(std::string_view why, bool may_repeat);
  // Notes in sent_ which keys they are about.
  std::string Commands(bool select);
  void AppendRestore(std::string_view key, const Entry& entry, std::string* out) const;
  // The answers to all that Commands() wrote; each key that has arrived is deleted.
  Step ReadAnswers(MigrationPeer& peer, bool select);
  // The next answer; false: there is none. Of errors the first counts.
  bool ReadAnswer(MigrationPeer& peer, bool* accepted);
  void Forget(std::string_view key);
  void Propagate();

  CommandContext& ctx_;
  const MigrateRequest& request_;
  MigrationPeers& peers_;
  std::vector<std::string_view> found_;  // of the keys, those that exist
  std::vector<std::string_view> sent_;   // those that the last try sent
  std::vector<std::string_view> gone_;   // those that were deleted here
  size_t arrived_ = 0;
  bool repeated_ = false;
  bool timed_out_ = false;
  std::string refusal_;      // what the target said first
  std::string_view reason_;  // an error of the connection
};

void Migration::Run() {
  for (const std::string_view key : request_.keys) {
    if (ctx_.db().FindForRead(Key(key)) != nullptr) found_.push_back(key);
  }
  if (found_.empty()) return ctx_.reply().SimpleString("NOKEY");
  Step step = Try();
  if (step == Step::kRetry) {
    repeated_ = true;
    step = Try();
  }
  Propagate();
  if (!refusal_.empty()) {
    ctx_.Error("ERR Target instance replied with error: " + refusal_);
  } else if (step == Step::kFailed) {
    ctx_.Error(reason_);
  } else {
    ctx_.reply().Ok();
  }
}

Migration::Step Migration::FailIo(std::string_view why, bool may_repeat) {
  peers_.Drop(request_.address);
  reason_ = why;
  // What has arrived is gone here, and must not be sent again.
  const bool again = may_repeat && !repeated_ && !timed_out_ && arrived_ == 0 && refusal_.empty();
  return again ? Step::kRetry : Step::kFailed;
}

Migration::Step Migration::Try() {
  const bool authenticates = !request_.credentials.empty();
  const auto got = peers_.Get(request_.address, authenticates, request_.timeout_ms);
  if (!got) {
    // A refused connection is noticed by the first write elsewhere.
    reason_ = got.error().code == ErrorCode::kIo ? kWriteFailed : kConnectFailed;
    return Step::kFailed;
  }
  MigrationPeer& peer = **got;
  const bool select = peer.db != request_.db;
  const std::string commands = Commands(select);
  if (authenticates) peer.authenticated = true;
  const auto written = peer.socket.Write(commands, request_.timeout_ms);
  if (!written) {
    timed_out_ = written.error().code == ErrorCode::kBusy;
    return FailIo(kWriteFailed, true);
  }
  return ReadAnswers(peer, select);
}

std::string Migration::Commands(bool select) {
  std::string out;
  sent_.clear();
  const auto& credentials = request_.credentials;
  if (credentials.size() == 1) AppendCommand({"AUTH", credentials[0]}, &out);
  if (credentials.size() == 2) AppendCommand({"AUTH", credentials[0], credentials[1]}, &out);
  if (select) AppendCommand({"SELECT", Int64ToString(request_.db)}, &out);
  for (const std::string_view key : found_) {
    // A module that saved the value before may have deleted this one.
    if (const Entry* entry = ctx_.db().Peek(Key(key)); entry != nullptr) {
      AppendRestore(key, *entry, &out);
      sent_.push_back(key);
    }
  }
  return out;
}

void Migration::AppendRestore(std::string_view key, const Entry& entry, std::string* out) const {
  const Settings& settings = ctx_.engine().settings();
  const int64_t expire_ms = entry.expire_ms();
  const int64_t ttl =
      expire_ms < 0 ? 0 : std::max<int64_t>(expire_ms - ctx_.keyspace().now_ms(), 1);
  const std::string payload =
      CreateDumpPayload(entry, static_cast<int>(settings.rdb_version), settings.rdbcompression);
  if (request_.replace) {
    AppendCommand({"RESTORE", key, Int64ToString(ttl), payload, "REPLACE"}, out);
  } else {
    AppendCommand({"RESTORE", key, Int64ToString(ttl), payload}, out);
  }
}

bool Migration::ReadAnswer(MigrationPeer& peer, bool* accepted) {
  const auto line = peer.socket.ReadLine(request_.timeout_ms);
  timed_out_ = !line && line.error().code == ErrorCode::kBusy;
  // Whatever is neither yes nor no comes from something that is no such server.
  if (!line || (!line->starts_with('+') && !line->starts_with('-'))) return false;
  *accepted = line->starts_with('+');
  if (!*accepted && refusal_.empty()) refusal_ = line->size() > 1 ? line->substr(1) : "ERR";
  return true;
}

Migration::Step Migration::ReadAnswers(MigrationPeer& peer, bool select) {
  bool prepared = true;
  bool accepted = false;
  if (!request_.credentials.empty()) {
    if (!ReadAnswer(peer, &accepted)) return FailIo(kReadFailed, true);
    prepared = accepted;
  }
  if (select) {
    if (!ReadAnswer(peer, &accepted)) return FailIo(kReadFailed, true);
    prepared &= accepted;
  }
  bool all = prepared;
  for (size_t i = 0; i < sent_.size(); ++i) {
    if (!ReadAnswer(peer, &accepted)) return FailIo(kReadFailed, i == 0);
    all &= accepted;
    // Without its SELECT it went to some other database.
    if (!accepted || !prepared) continue;
    ++arrived_;
    if (!request_.copy) Forget(sent_[i]);
  }
  peer.db = all ? std::optional(request_.db) : std::nullopt;
  return Step::kDone;
}

void Migration::Forget(std::string_view key) {
  if (!ctx_.db().Delete(Key(key), ctx_.engine().settings().lazyfree_lazy_server_del)) return;
  gone_.push_back(key);
  ctx_.Modified(key, kNotifyGeneric, "del");
}

void Migration::Propagate() {
  if (gone_.empty()) return;
  std::vector<std::string_view> del{"DEL"};
  del.insert(del.end(), gone_.begin(), gone_.end());
  ctx_.Propagate(del);
}

void Migrate(CommandContext& ctx) {
  const auto request = ParseRequest(ctx);
  if (request) Migration(ctx, *request).Run();
}

// The key of the fixed part, or what follows KEYS when that is empty. A password may be "keys".
void FindMigrateKeys(const Command&, std::span<const std::string_view> args,
                     std::vector<KeyUse>* keys) {
  constexpr uint32_t kUse = kKeyRW | kKeyAccess | kKeyDelete;
  for (size_t i = kOptionsAt; i < args.size(); ++i) {
    if (EqualsIgnoreCase(args[i], "auth")) {
      i += 1;
    } else if (EqualsIgnoreCase(args[i], "auth2")) {
      i += 2;
    } else if (EqualsIgnoreCase(args[i], "keys") && i + 1 < args.size()) {
      // Both forms at once: the call will be refused.
      if (!args[kKeyAt].empty()) return;
      for (++i; i < args.size(); ++i) keys->push_back({static_cast<int>(i), kUse});
      return;
    }
  }
  keys->push_back({static_cast<int>(kKeyAt), kUse});
}

constexpr KeySpec kMigrateKeys[] = {
    {.flags = kKeyRW | kKeyAccess | kKeyDelete, .begin = static_cast<int>(kKeyAt)},
    {.flags = kKeyRW | kKeyAccess | kKeyDelete | kKeyIncomplete,
     .begin = -2,
     .keyword = "KEYS",
     .last = -1}};

constexpr CommandSpec kCommands[] = {
    {.name = "migrate",
     .handler = Migrate,
     .arity = -6,
     .flags = kCmdWrite | kCmdMovableKeys,
     .keys = {3, 3, 1},
     .acl = kAclKeyspace | kAclDangerous,
     .summary = "Moves keys to another server.",
     .since = "2.6.0",
     .group = "generic",
     .complexity = "that of DUMP and DEL here and of RESTORE there, and O(N) to send N bytes",
     .key_specs = kMigrateKeys,
     .arguments = "host port:integer key-selector(key | empty-string=\"\") destination-db:integer "
                  "timeout:integer [COPY@3.0.0] [REPLACE@3.0.0] "
                  "[authentication(AUTH auth'password'@4.0.7 | AUTH2 auth2@6.0.0(username "
                  "password))] [KEYS keys:key'key'@3.0.6...]",
     .history = "3.0.0: `COPY` and `REPLACE`; 3.0.6: `KEYS`; 4.0.7: `AUTH`; 6.0.0: `AUTH2`",
     .tips = "nondeterministic_output"},
};

}  // namespace

void RegisterMigrateCommand(CommandRegistry& registry, MigrationPeers& peers) {
  registry.Add(kCommands, &peers);
  registry.Find("migrate")->key_finder = &FindMigrateKeys;
}

}  // namespace backplane
