// SPDX-License-Identifier: BSD-3-Clause
// CommandFixture: the whole path of a command but the network, in one process: databases, registry
// with the families that need nothing but the context, engine, one internal session. Replies come
// back as RESP text. For unit tests of commands; header only, so that no library gets it.
//
//   CommandFixture f;
//   EXPECT_EQ(f.RunLine("SET a b"), "+OK\r\n");
//   EXPECT_EQ(f.events(), ...); EXPECT_EQ(f.propagated(), ...);
#pragma once

#include <gtest/gtest.h>
#include <sys/uio.h>

#include <cstdlib>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/quoting.h"
#include "client/pubsub.h"
#include "client/session.h"
#include "command/registry.h"
#include "commands/families.h"
#include "commands/scripting/scripting_commands.h"
#include "config/settings.h"
#include "engine/engine.h"
#include "keyspace/keyspace.h"
#include "resp/output_buffer.h"
#include "resp/resp_encoder.h"

namespace backplane {

class CommandFixture : public KeyspaceListener, public PropagationSink {
 public:
  static constexpr int64_t kStartMs = 1'700'000'000'000;

  CommandFixture() {
    RegisterStringCommands(registry_);
    RegisterBitmapCommands(registry_);
    RegisterHyperLogLogCommands(registry_);
    RegisterKeyCommands(registry_);
    RegisterListCommands(registry_);
    RegisterSetCommands(registry_);
    RegisterHashCommands(registry_);
    RegisterZSetCommands(registry_);
    RegisterGeoCommands(registry_);
    RegisterStreamCommands(registry_);
    RegisterTransactionCommands(registry_);
    RegisterPubSubCommands(registry_);
    RegisterScriptingCommands(registry_, scripting_);
    keyspace_.set_now_ms(kStartMs);
    engine_.AddListener(this);
    engine_.propagation().AddSink(this, kPropagateEverywhere);
  }
  ~CommandFixture() override {
    engine_.propagation().RemoveSink(this);
    engine_.RemoveListener(this);
    keyspace_.FlushAll(false);
    keyspace_.lazy_free().Drain();
  }
  CommandFixture(const CommandFixture&) = delete;
  CommandFixture& operator=(const CommandFixture&) = delete;

  // Runs one command as a client sends it; returns the bytes of its reply.
  std::string Run(const std::vector<std::string>& args) {
    const std::vector<std::string_view> views(args.begin(), args.end());
    engine_.Process(session_, views);
    return TakeOutput();
  }
  // The same for a line as redis-cli takes it: words, quotes, escapes.
  std::string RunLine(std::string_view line) {
    const auto args = SplitArgs(line);
    EXPECT_TRUE(args.has_value() && !args->empty()) << "bad test line: " << line;
    return args.has_value() && !args->empty() ? Run(*args) : std::string();
  }

  // 2 or 3, for the replies from now on.
  void SetProtocol(int version) { encoder_.set_resp(version); }
  // Moves the clock by which keys expire.
  void Advance(int64_t ms) { keyspace_.set_now_ms(keyspace_.now_ms() + ms); }

  // What OBJECT ENCODING answers; empty if the key does not exist.
  std::string Encoding(std::string_view key) {
    Entry* entry = keyspace_.db(session_.db_index).Peek(key);
    return entry != nullptr ? std::string(entry->encoding_name()) : std::string();
  }
  bool Exists(std::string_view key) { return keyspace_.db(session_.db_index).Exists(key); }

  // Keyspace events since the last call, as "class-letter event key": "l lpush mylist".
  std::vector<std::string> TakeEvents() { return std::exchange(events_, {}); }
  // Commands for replicas and the AOF since the last call, their words joined by blanks; MULTI and
  // EXEC of units included.
  std::vector<std::string> TakePropagated() { return std::exchange(propagated_, {}); }
  // Keys reported as modified since the last call, in order.
  std::vector<std::string> TakeModified() { return std::exchange(modified_, {}); }
  // Changes counted since the last call.
  uint64_t TakeDirty() {
    const uint64_t dirty = keyspace_.dirty();
    keyspace_.SetDirty(0);
    return dirty;
  }
  // Forgets what has been recorded so far.
  void ForgetEffects() {
    events_.clear();
    propagated_.clear();
    modified_.clear();
    keyspace_.SetDirty(0);
  }

  Keyspace& keyspace() { return keyspace_; }
  EncodingLimits& limits() { return keyspace_.limits(); }
  Engine& engine() { return engine_; }
  Session& session() { return session_; }
  Settings& settings() { return settings_; }
  CommandRegistry& registry() { return registry_; }
  Scripting& scripting() { return scripting_; }

  // --- KeyspaceListener ---
  void OnKeyEvent(Database&, uint32_t notify_class, std::string_view event,
                  std::string_view key) override {
    events_.push_back(ClassLetter(notify_class) + " " + std::string(event) + " " +
                      std::string(key));
  }
  void OnKeyModified(Database&, std::string_view key) override { modified_.emplace_back(key); }
  uint32_t wanted_classes() const override { return kNotifyAll; }

  // --- PropagationSink ---
  void OnCommand(int, std::span<const std::string_view> args) override {
    std::string text;
    for (std::string_view arg : args) {
      if (!text.empty()) text += ' ';
      text += arg;
    }
    propagated_.push_back(std::move(text));
  }

 private:
  static std::string ClassLetter(uint32_t notify_class) { return NotifyFlagsText(notify_class); }

  std::string TakeOutput() {
    std::string text;
    iovec parts[64];
    while (!output_.empty()) {
      const int count = output_.Gather(parts, 64);
      size_t bytes = 0;
      for (int i = 0; i < count; ++i) {
        text.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
        bytes += parts[i].iov_len;
      }
      // A hole that a command left open would make this loop for ever.
      if (bytes == 0) {
        ADD_FAILURE() << "reply with an open hole";
        output_.Clear();
        break;
      }
      output_.Consume(bytes);
    }
    return text;
  }

  Settings settings_;
  Logger logger_;
  PubSub pubsub_;
  CommandRegistry registry_;
  Keyspace keyspace_{16};
  Engine engine_{Engine::Services{keyspace_, registry_, pubsub_, settings_, logger_}};
  Scripting scripting_{&engine_};
  OutputBuffer output_;
  RespEncoder encoder_{&output_};
  Session session_{1, Session::Kind::kModule, &encoder_, nullptr};
  std::vector<std::string> events_;
  std::vector<std::string> propagated_;
  std::vector<std::string> modified_;
};

// A reply taken apart: for replies whose order is not fixed.
struct ParsedReply {
  char tag = 0;  // '+', '-', ':', '$', '*' ...
  std::string text;
  std::vector<ParsedReply> elements;  // of a map: keys and values in turn
};

// Takes the first value of *bytes off. REQUIRES: whole values.
inline ParsedReply ParseReply(std::string_view* bytes) {
  ParsedReply reply;
  const size_t end = bytes->find("\r\n");
  reply.tag = bytes->front();
  reply.text = bytes->substr(1, end - 1);
  bytes->remove_prefix(end + 2);
  const int64_t size = std::atoll(reply.text.c_str());
  if (reply.tag == '$' && size >= 0) {
    reply.text = bytes->substr(0, static_cast<size_t>(size));
    bytes->remove_prefix(static_cast<size_t>(size) + 2);
  }
  if (std::string_view("*~>%").find(reply.tag) != std::string_view::npos) {
    const int64_t values = reply.tag == '%' ? size * 2 : size;
    for (int64_t i = 0; i < values; ++i) reply.elements.push_back(ParseReply(bytes));
  }
  return reply;
}

// A test with a fixture of its own and shorthands for what it checks.
class CommandTest : public ::testing::Test {
 protected:
  using Strings = std::vector<std::string>;

  std::string Run(const Strings& args) { return fixture_.Run(args); }
  void Do(std::string_view line) { fixture_.RunLine(line); }

  // Runs a transcript: lines "command => reply", in which a line end within a reply is '|'. A
  // backslash at the end of a line goes on with the text of the next. Blank lines and lines that
  // begin with '#' say nothing.
  void Check(std::string_view transcript) {
    std::string line;
    while (!transcript.empty()) {
      const size_t end = transcript.find('\n');
      std::string_view piece = transcript.substr(0, end);
      transcript.remove_prefix(end == std::string_view::npos ? transcript.size() : end + 1);
      const size_t begin = piece.find_first_not_of(' ');
      if (begin == std::string_view::npos || piece[begin] == '#') continue;
      line += piece.substr(begin);
      if (line.ends_with('\\')) {
        line.pop_back();
        continue;
      }
      const size_t arrow = line.find(" => ");
      ASSERT_NE(arrow, std::string::npos) << "no reply in transcript line: " << line;
      EXPECT_EQ(Reply(line.substr(0, arrow)), line.substr(arrow + 4)) << "after " << line;
      line.clear();
    }
  }
  // The reply in the transcript's form.
  std::string Reply(std::string_view line) {
    std::string out;
    for (char c : fixture_.RunLine(line)) {
      if (c != '\r') out += c == '\n' ? '|' : c;
    }
    return out;
  }
  static ParsedReply Parse(std::string_view reply) { return ParseReply(&reply); }
  // The elements of an array or set reply.
  std::set<std::string> Members(std::string_view line) {
    std::set<std::string> members;
    const std::string reply = fixture_.RunLine(line);
    for (const ParsedReply& element : Parse(reply).elements) members.insert(element.text);
    return members;
  }
  // Runs one command and states what it did besides replying: events, commands propagated, changes
  // counted.
  void CheckEffects(std::string_view line, const Strings& events, const Strings& propagated,
                    uint64_t dirty) {
    Forget();
    fixture_.RunLine(line);
    EXPECT_EQ(fixture_.TakeEvents(), events) << line;
    EXPECT_EQ(fixture_.TakePropagated(), propagated) << line;
    EXPECT_EQ(fixture_.TakeDirty(), dirty) << line;
  }
  // The same for a command that is propagated as it was typed.
  void CheckEffects(std::string_view line, const Strings& events, uint64_t dirty) {
    CheckEffects(line, events, dirty > 0 ? Strings{std::string(line)} : Strings{}, dirty);
  }

  void Forget() { fixture_.ForgetEffects(); }

  CommandFixture fixture_;
};

}  // namespace backplane
