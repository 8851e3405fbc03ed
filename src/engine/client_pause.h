// SPDX-License-Identifier: BSD-3-Clause
// ClientPause: CLIENT PAUSE: clients' commands, all or those that may change data, wait until the
// pause is over; their input stays where it is, and is offered again then, in the order in which
// the clients came to wait. Meanwhile nothing expires and nothing is evicted, so that the data
// stand still. Made by the server; the engine knows of it (Engine::client_pause) while there is a
// pause. Engine thread.
#pragma once

#include <list>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/engine.h"
#include "net/event_loop.h"

namespace backplane {

class ClientPause final : private TimerHandler {
 public:
  enum class Mode : uint8_t { kWrites, kAll };

  // Both outlive it.
  ClientPause(Engine* engine, EventLoop* loop);
  // Nobody may wait any more.
  ~ClientPause() override;
  ClientPause(const ClientPause&) = delete;
  ClientPause& operator=(const ClientPause&) = delete;

  // Of a pause that there is already, and this one, the stricter mode and the later end hold.
  // REQUIRES: duration_ms >= 0, and its end can be told in int64_t.
  void Begin(Mode mode, int64_t duration_ms);
  // Does nothing without a pause.
  void End();

  // REQUIRES for both: there is a pause.
  // Whether such a command has to wait.
  bool Holds(const Session& session, const Command& command, Args args) const;
  // The session's client waits until the pause ends. REQUIRES: it is not blocked.
  void Postpone(Session& session);
  // For a session that has just been postponed: the request is not in its input, so that it is kept
  // here, and run at the end.
  void Keep(Session& session, std::vector<std::string> args);
  // A key became ready for a client that must not go on now: it is asked again at the end.
  void SignalLater(int db, std::string_view key);

 private:
  class Postponed;

  int64_t OnTimer() override;

  Engine* engine_;
  EventLoop* loop_;
  EventLoop::TimerId timer_ = 0;
  Mode mode_ = Mode::kWrites;
  int64_t end_ms_ = 0;  // in the loop's time
  std::list<Postponed> postponed_;
  // Keys of SignalLater, each once, and the order in which they came.
  std::set<std::pair<int, std::string>> ready_;
  std::vector<std::set<std::pair<int, std::string>>::const_iterator> ready_order_;
};

}  // namespace backplane
