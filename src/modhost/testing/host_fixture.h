// SPDX-License-Identifier: BSD-3-Clause
// HostFixture: a module host over an engine with a few tiny commands, one client, no network. For
// unit tests of modhost/; header only.
#pragma once

#include <gtest/gtest.h>
#include <sys/uio.h>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/quoting.h"
#include "engine/engine.h"
#include "modhost/host.h"
#include "modhost/jobs.h"
#include "resp/output_buffer.h"
#include "resp/resp_encoder.h"

// The path of the probe module, given by the build to the test program.
#ifndef BACKPLANE_PROBE_MODULE
#define BACKPLANE_PROBE_MODULE ""
#endif

namespace backplane {

class HostFixture : public ::testing::Test {
 protected:
  static void GetCommand(CommandContext& ctx) {
    bool failed;
    Entry* entry = ctx.FindForRead(ctx.key(1), TypeId::kString, &failed);
    if (failed) return;
    if (entry == nullptr) return ctx.reply().Null();
    char scratch[32];
    ctx.reply().Bulk(entry->string(scratch));
  }
  static void SetCommand(CommandContext& ctx) {
    ctx.db().SetString(ctx.key(1), ctx.arg(2), TtlPolicy::kDrop);
    ctx.Modified(ctx.arg(1), kNotifyString, "set");
    ctx.reply().Ok();
  }
  static void DelCommand(CommandContext& ctx) {
    ctx.db().Delete(ctx.key(1));
    ctx.Modified(ctx.arg(1), kNotifyGeneric, "del");
    ctx.reply().Integer(1);
  }
  // Every kind of reply in one.
  static void DeepCommand(CommandContext& ctx) {
    ctx.reply().BeginArray(4);
    ctx.reply().BeginMap(1);
    ctx.reply().Bulk("pi");
    ctx.reply().Double(3.5);
    ctx.reply().Null();
    ctx.reply().Bool(true);
    ctx.reply().BeginSet(1);
    ctx.reply().SimpleString("member");
  }
  static constexpr CommandSpec kCommands[] = {
      {.name = "get", .handler = GetCommand, .arity = 2, .flags = kCmdReadonly, .keys = {1, 1, 1}},
      {.name = "set", .handler = SetCommand, .arity = 3, .flags = kCmdWrite, .keys = {1, 1, 1}},
      {.name = "del", .handler = DelCommand, .arity = 2, .flags = kCmdWrite, .keys = {1, 1, 1}},
      {.name = "deep", .handler = DeepCommand, .arity = 1, .flags = kCmdReadonly},
  };

  HostFixture() {
    log_path_ = ::testing::TempDir() + "modhost_" +
                ::testing::UnitTest::GetInstance()->current_test_info()->name() + ".log";
    std::remove(log_path_.c_str());
    EXPECT_TRUE(logger_.OpenFile(log_path_).has_value());
    registry_.Add(kCommands);
    // Trials are tested with whole servers: under a sanitizer a fork of this program is not one.
    settings_.module_load_probe = false;
    engine_.RefreshClock();
    host_.set_serving(true);
  }
  ~HostFixture() override {
    keyspace_.FlushAll(false);
    keyspace_.lazy_free().Drain();
    std::remove(log_path_.c_str());
  }

  static std::string ProbePath() { return BACKPLANE_PROBE_MODULE; }
  // Loads the probe with arguments.
  bool Load(const std::vector<std::string>& args = {}, const ModuleConfigs& configs = {}) {
    return host_.jobs().LoadNow(ProbePath(), args, configs).has_value();
  }
  Module& probe() { return *host_.FindModule("probe"); }

  std::string Run(std::string_view line) { return RunAs(session_, output_, line); }
  static std::string RunAs(Engine& engine, Session& session, OutputBuffer& output,
                           std::string_view line) {
    const auto args = SplitArgs(line);
    const std::vector<std::string_view> views(args->begin(), args->end());
    engine.Process(session, views);
    return Take(output);
  }
  std::string RunAs(Session& session, OutputBuffer& output, std::string_view line) {
    return RunAs(engine_, session, output, line);
  }
  // Turns of the loop until the client has a reply.
  std::string Await() { return Await(output_); }
  std::string Await(OutputBuffer& output) {
    constexpr int kTurnsMax = 10000;
    for (int i = 0; i < kTurnsMax && output.empty(); ++i) loop_.RunOnce(1);
    return Take(output);
  }
  std::string Log() {
    std::ostringstream text;
    text << std::ifstream(log_path_).rdbuf();
    return text.str();
  }

  static std::string Take(OutputBuffer& output) {
    std::string text;
    iovec parts[64];
    while (!output.empty()) {
      const int count = output.Gather(parts, 64);
      size_t bytes = 0;
      for (int i = 0; i < count; ++i) {
        text.append(static_cast<const char*>(parts[i].iov_base), parts[i].iov_len);
        bytes += parts[i].iov_len;
      }
      if (bytes == 0) {
        ADD_FAILURE() << "reply with an open hole";
        output.Clear();
        break;
      }
      output.Consume(bytes);
    }
    return text;
  }

  // What modules may leave behind, counted.
  std::string Registered() {
    std::ostringstream text;
    text << "commands " << registry_.size() << ", types " << host_.types().types().size()
         << ", options " << options_.All().size() << ", events "
         << host_.events().Wanted(REDISMODULE_EVENT_FLUSHDB) << ", notifications "
         << host_.key_events().wanted_classes() << ", filters " << !host_.filters().empty()
         << ", info " << host_.info_providers().size() << ", shared " << host_.shared_apis().size()
         << ", timers " << host_.timers().size() << ", modules " << host_.modules().size();
    return text.str();
  }

  std::string log_path_;
  Settings settings_;
  Logger logger_;
  OptionTable options_;
  PubSub pubsub_;
  CommandRegistry registry_;
  Keyspace keyspace_{16};
  EventLoop loop_;
  Engine engine_{Engine::Services{keyspace_, registry_, pubsub_, settings_, logger_}};
  ModuleHost host_{
      ModuleHost::Services{engine_, loop_, options_, nullptr, nullptr, nullptr, nullptr}};
  OutputBuffer output_;
  RespEncoder encoder_{&output_};
  Session session_{1, Session::Kind::kNormal, &encoder_, nullptr};
};

}  // namespace backplane
