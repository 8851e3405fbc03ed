// SPDX-License-Identifier: BSD-3-Clause
// Clients: all network clients: accepts them, feeds their input to the engine in batches, watches
// their limits. Engine thread.
//
// A batch: every complete request in the buffer (up to kBatchMax) is parsed first, the bucket of
// each first key is prefetched, then the entries, then what they point to; only then the requests
// run, in order. The memory latency of one key is thereby hidden behind the others.
//
// maxmemory-clients: while there is a limit, the memory of each client is measured anew when it may
// have changed (input, messages from others), and those that hold most are closed before the loop
// waits, or before the command that takes too much runs.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "client/session.h"
#include "client/tracking.h"
#include "engine/engine.h"
#include "net/connection.h"
#include "net/listener.h"
#include "resp/request_parser.h"
#include "resp/resp_encoder.h"

namespace backplane {

class Clients;

// The limit on the output that waits for a client of this kind.
inline const OutputLimit& OutputLimitOf(const Session& session, const Settings& settings) {
  return session.subscribed() ? settings.output_limit_pubsub : settings.output_limit_normal;
}

// One network client: the connection's handler, the session's link.
class NetClient final : public ClientLink {
 public:
  NetClient(uint64_t id, Connection* connection, Clients* owner);
  Session& session() { return session_; }
  Connection& connection() { return *connection_; }

  void ScheduleWrite() override;
  void Close() override { connection_->Close(); }
  void CloseAfterReply() override { connection_->CloseAfterFlush(); }
  bool closing() const override { return connection_->closing(); }
  void PauseInput() override { connection_->PauseReading(); }
  void ResumeInput() override { connection_->ResumeReading(); }
  const std::string& peer() const override { return connection_->peer(); }
  const std::string& local() const override { return connection_->local(); }
  int fd() const override { return connection_->fd(); }
  bool is_unix() const override { return connection_->is_unix(); }
  bool is_local() const override { return connection_->is_loopback(); }
  bool is_tls() const override { return connection_->transport() != nullptr; }
  std::string PeerCertificate() const override {
    return is_tls() ? connection_->transport()->PeerCertificate() : std::string();
  }
  size_t input_bytes() const override {
    if (offered_bytes_ != 0) return connection_->input_bytes() + offered_bytes_;
    const size_t read = parser_.read_bytes();
    return connection_->input_bytes() > read ? connection_->input_bytes() - read : 0;
  }
  size_t input_capacity() const override { return connection_->input_capacity(); }
  size_t output_bytes() const override { return connection_->out().size(); }
  size_t output_memory() const override { return connection_->out().memory(); }
  size_t output_chunks() const override { return connection_->out().chunk_count(); }
  size_t argument_bytes() const override;
  size_t memory() const override;
  int64_t idle_ms() const override;

 private:
  friend class Clients;
  Connection* connection_;
  Clients* owner_;
  RespEncoder encoder_;
  Session session_;
  RequestParser parser_;
  int64_t over_soft_limit_since_ms_ = 0;
  size_t offered_bytes_ = 0;   // the input being worked off, within OnInput
  Args running_;               // the request being worked off, within OnInput
  size_t counted_memory_ = 0;  // its part of Clients::memory_
  bool measure_scheduled_ = false;
  bool prepared_ = false;  // an I/O thread has parsed ahead, and nobody has used it yet
};

class Clients final : public AcceptHandler,
                      public ConnectionHandler,
                      public SessionFinder,
                      private LoopHook {
 public:
  Clients(Engine* engine, ConnectionSet* connections);
  ~Clients() override;

  size_t count() const { return by_id_.size(); }
  size_t blocked_count() const;
  // Every network client; f(NetClient&). f must not destroy clients (closing them is fine).
  template <class F>
  void ForEach(F&& f) {
    for (auto& [id, client] : by_id_) f(*client);
  }
  NetClient* Find(uint64_t id);
  NetClient* FindByConnection(Connection& connection);
  // The next free client id; internal sessions (modules) take theirs from here too.
  uint64_t NextId() { return next_id_++; }

  // Settings have changed: the limit of memory.
  void ApplyMemoryLimit();
  // What the client holds may have changed.
  void ScheduleMeasure(NetClient& client) {
    if (memory_limit_ == 0 || client.measure_scheduled_) [[likely]]
      return;
    client.measure_scheduled_ = true;
    to_measure_.push_back(&client);
  }

  // Closes the client when it holds more output than it may.
  void CheckOutputLimit(NetClient& client);

  // The user may do less than before: closes its clients that listen to what it may not hear. The
  // one whose command runs gets its reply.
  void CloseForbiddenSubscribers(const User& user);

  // --- SessionFinder ---
  Session* FindSession(uint64_t id) override;

  // Once a second or more often: idle clients over `timeout`, soft output limits, blocked clients'
  // deadlines are looked at by their owners.
  void CheckTimeouts();

  // "-ERR ..." to a fresh socket that is not to become a client.
  void OnAccept(int fd, SocketKind kind) override;
  size_t OnInput(Connection& connection, std::string_view data) override;
  void OnClosed(Connection& connection) override;
  void OnHandshakeFailed(Connection& connection, const std::string& why) override;
  // Parses a batch ahead, on an I/O thread.
  void Prepare(Connection& connection, std::string_view data, size_t slot) override;

  // Makes room for Prepare. Before connections are read by I/O threads.
  void ExpectPrepare() { slots_.resize(kSlotsMax); }
  // For sockets of TLS ports. Not owned; without it they are closed.
  void set_tls(TransportFactory* tls) { tls_ = tls; }

  // Called with a client that is about to go, before anything of it is destroyed (module
  // client-change events). Not owned; may be null.
  class Listener {
   public:
    virtual ~Listener() = default;
    virtual void OnClientConnected(Session& session) = 0;
    virtual void OnClientDisconnected(Session& session) = 0;
  };
  void set_listener(Listener* listener) { listener_ = listener; }

 private:
  static constexpr size_t kBatchMax = 64;
  struct Request {
    uint32_t first_arg;
    uint32_t arg_count;
    size_t end;  // offset behind the request
    KeyHint hint;
  };

  // What ParseBatch found.
  struct ParsedBatch {
    std::vector<std::string_view> args;
    std::vector<Request> requests;
    size_t needed = 0;  // bytes of a request that is not whole; 0: unknown
    bool valid = true;  // false: a protocol error behind the requests
  };

  // Parses up to kBatchMax requests from `data` at `from`. Touches nothing but the client's parser
  // and the batch, and reads settings.
  void ParseBatch(NetClient& client, std::string_view data, size_t from, ParsedBatch* batch) const;
  // Fills batch_ with what comes at `from`, as prepared or parsed now. Returns false on a protocol
  // error.
  bool NextBatch(NetClient& client, std::string_view data, size_t from) {
    if (client.prepared_) [[unlikely]] {
      TakePrepared(client, data, from);
    } else {
      ParseBatch(client, data, from, &batch_);
    }
    if (batch_.needed > 0) [[unlikely]]
      client.connection_->ExpectBytes(batch_.needed);
    return batch_.valid;
  }
  void TakePrepared(NetClient& client, std::string_view data, size_t from);
  void PrefetchBatch(Session& session);
  // What the client has not used of its input is more than it may be.
  bool OverInputLimit(const NetClient& client, size_t left) const;
  // Runs the requests from `used` on; returns what is used then. False in *valid: a protocol error.
  size_t RunBatches(NetClient& client, std::string_view data, bool* valid);
  int BeforeWait() override;
  void AfterWait() override {}
  void Measure(NetClient& client);
  void MeasureAll();
  void MeasureScheduled();
  // Closes the clients that hold most until the others are below the limit.
  void EvictClients();
  // No room for one more client. Those that go with this turn of the loop do not count; those that
  // are to go once they have read their last reply do, for they may never read it.
  bool IsFull() const;

  Engine* engine_;
  ConnectionSet* connections_;
  TransportFactory* tls_ = nullptr;
  uint64_t next_id_ = 1;
  std::unordered_map<uint64_t, std::unique_ptr<NetClient>> by_id_;
  Listener* listener_ = nullptr;
  // Scratch of the running batch; taken out while a nested loop turn serves others.
  ParsedBatch batch_;
  std::vector<ParsedBatch> slots_;  // of Prepare
  bool in_batch_ = false;
  size_t memory_limit_ = 0;  // 0: none, and nothing is measured
  size_t memory_ = 0;        // of all clients, as last measured
  std::vector<NetClient*> to_measure_;
};

}  // namespace backplane
