// SPDX-License-Identifier: BSD-3-Clause
// BusyServer: how a script, a module's code or a load that runs for long has clients answered
// meanwhile.
// Implemented in server/. Engine thread.
#pragma once

namespace backplane {

class Session;

class BusyServer {
 public:
  virtual ~BusyServer() = default;
  // Whether clients can be answered here and now: on the engine thread, and not in a child.
  virtual bool can_serve() = 0;
  // The session's client must neither be read from nor destroyed until EndBusy.
  virtual void BeginBusy(Session& session) = 0;
  virtual void EndBusy(Session& session) = 0;
  // Handles what clients have sent, without waiting.
  virtual void ServeClients() = 0;
  // The same in the middle of the session's command; null: nobody's command runs.
  void ServeClientsWithin(Session* session) {
    if (session != nullptr) BeginBusy(*session);
    ServeClients();
    if (session != nullptr) EndBusy(*session);
  }
  // The process is to end (SHUTDOWN NOSAVE): what runs must.
  virtual bool stopping() = 0;
};

}  // namespace backplane
