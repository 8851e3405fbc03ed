// SPDX-License-Identifier: BSD-3-Clause
// Clients: accept, batch, limits.
#include "engine/clients.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "acl/user.h"
#include "base/assert.h"
#include "command/context.h"
#include "engine/call_records.h"

namespace backplane {
namespace {

constexpr std::string_view kDenied =
    "-DENIED Backplane is running in protected mode: no password is set for the default user, so "
    "only connections from "
    "the loopback interface are accepted. Set a password (requirepass), or disable protected mode "
    "(--protected-mode "
    "no) if nobody else can reach this port.\r\n";

// A peer that vanished without a word is noticed after about twice `seconds`.
void KeepAlive(int fd, int seconds) {
  const int on = 1;
  const int interval = std::max(seconds / 3, 1);
  const int probes = 3;
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof(seconds));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
  setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof(probes));
}

bool MayStaySubscribed(const User& user, const Session& session) {
  for (const auto& channel : session.channels()) {
    if (!user.AllowsChannel(channel, false)) return false;
  }
  for (const auto& channel : session.shard_channels()) {
    if (!user.AllowsChannel(channel, false)) return false;
  }
  for (const auto& pattern : session.patterns()) {
    if (!user.AllowsChannel(pattern, true)) return false;
  }
  return true;
}

}  // namespace

NetClient::NetClient(uint64_t id, Connection* connection, Clients* owner)
    : connection_(connection),
      owner_(owner),
      encoder_(&connection->out()),
      session_(id, Session::Kind::kNormal, &encoder_, this) {}

int64_t NetClient::idle_ms() const {
  return MonotonicNanos() / 1'000'000 - connection_->last_input_ms();
}

void NetClient::ScheduleWrite() {
  connection_->ScheduleWrite();
  owner_->ScheduleMeasure(*this);
  // Messages of others may grow much before the loop waits.
  owner_->CheckOutputLimit(*this);
}

size_t NetClient::argument_bytes() const {
  size_t bytes = offered_bytes_ == 0 ? parser_.argument_bytes() : 0;
  for (std::string_view arg : running_) bytes += arg.size();
  return bytes;
}

size_t NetClient::memory() const {
  // So much fits in the buffer that all connections share: it is not the client's.
  constexpr size_t kSharedBytes = 64 * 1024;
  const size_t offered = offered_bytes_ > kSharedBytes ? offered_bytes_ : 0;
  return sizeof(NetClient) + sizeof(Connection) + std::max(connection_->input_capacity(), offered) +
         output_memory() + session_.memory();
}

Clients::Clients(Engine* engine, ConnectionSet* connections)
    : engine_(engine), connections_(connections) {
  engine_->tracking().set_finder(this);
  connections_->loop().AddHook(this);
  ApplyMemoryLimit();
}

Clients::~Clients() {
  connections_->loop().RemoveHook(this);
  engine_->tracking().set_finder(nullptr);
}

NetClient* Clients::Find(uint64_t id) {
  auto it = by_id_.find(id);
  return it == by_id_.end() ? nullptr : it->second.get();
}

NetClient* Clients::FindByConnection(Connection& connection) {
  return static_cast<NetClient*>(connection.user_data());
}

Session* Clients::FindSession(uint64_t id) {
  NetClient* client = Find(id);
  // One that is being closed hears nothing any more.
  return client == nullptr || client->closing() ? nullptr : &client->session();
}

size_t Clients::blocked_count() const {
  size_t count = 0;
  for (const auto& [id, client] : by_id_) count += client->session().blocked() ? 1 : 0;
  return count;
}

void Clients::CloseForbiddenSubscribers(const User& user) {
  const CommandContext* const running = engine_->current();
  for (auto& [id, client] : by_id_) {
    const Session& session = client->session();
    if (session.user.get() != &user || !session.subscribed()) continue;
    if (MayStaySubscribed(user, session)) continue;
    const bool is_caller = running != nullptr && &running->session() == &session;
    is_caller ? client->CloseAfterReply() : client->Close();
  }
}

bool Clients::IsFull() const {
  const auto limit = static_cast<size_t>(engine_->settings().maxclients);
  if (by_id_.size() < limit) return false;
  const auto going = std::count_if(by_id_.begin(), by_id_.end(), [](const auto& pair) {
    return pair.second->connection_->gone();
  });
  return by_id_.size() - static_cast<size_t>(going) >= limit;
}

void Clients::OnAccept(int fd, SocketKind kind) {
  auto refuse = [&](std::string_view text) {
    // Before its handshake a TLS client could not read it.
    if (kind != SocketKind::kTls && write(fd, text.data(), text.size()) < 0) {
      // Nobody is there to read it.
    }
    close(fd);
    ++engine_->stats().rejected_connections;
  };
  const Settings& settings = engine_->settings();
  if (IsFull()) {
    return refuse("-ERR max number of clients reached\r\n");
  }
  if (kind != SocketKind::kUnix && settings.tcp_keepalive > 0)
    KeepAlive(fd, static_cast<int>(settings.tcp_keepalive));
  std::unique_ptr<Transport> transport;
  if (kind == SocketKind::kTls) {
    if (tls_ != nullptr) transport = tls_->Accept(fd);
    if (transport == nullptr) return refuse({});
  }
  Connection* connection = connections_->Adopt(fd, this, std::move(transport));
  if (connection == nullptr) return;
  if (settings.protected_mode && !engine_->LoginRequired() && !connection->is_loopback()) {
    connection->out().Append(kDenied);
    connection->CloseAfterFlush();
    ++engine_->stats().rejected_connections;
    return;
  }
  uint64_t id = NextId();
  auto client = std::make_unique<NetClient>(id, connection, this);
  client->session().authenticated = !engine_->LoginRequired();
  if (const Users* users = engine_->users()) client->session().user = users->default_user();
  client->session().created_ms = engine_->keyspace().now_ms();
  NetClient* raw = client.get();
  connection->set_user_data(raw);
  by_id_[id] = std::move(client);
  ++engine_->stats().connections;
  if (engine_->logger().Enabled(LogLevel::kVerbose)) {
    engine_->logger().Verbose("Accepted " + connection->peer());
  }
  if (listener_ != nullptr) listener_->OnClientConnected(raw->session());
}

void Clients::OnClosed(Connection& connection) {
  NetClient* client = FindByConnection(connection);
  if (client == nullptr) return;  // refused before it became a client
  Session& session = client->session();
  engine_->records().RemoveMonitor(session);
  if (listener_ != nullptr) listener_->OnClientDisconnected(session);
  session.NotifyUserObserver();
  if (BlockedState* blocked = session.blocked_state()) {
    session.Unblock();
    blocked->OnDisconnect();
  }
  if (engine_->logger().Enabled(LogLevel::kVerbose)) {
    engine_->logger().Verbose("Client closed connection id=" + std::to_string(session.id()));
  }
  memory_ -= client->counted_memory_;
  std::erase(to_measure_, client);
  uint64_t id = session.id();
  by_id_.erase(id);
}

void Clients::OnHandshakeFailed(Connection& connection, const std::string& why) {
  engine_->logger().Warning("Error accepting a client connection: " + why +
                            " (addr=" + connection.peer() + " laddr=" + connection.local() + ")");
}

void Clients::ParseBatch(NetClient& client, std::string_view data, size_t from,
                         ParsedBatch* batch) const {
  batch->args.clear();
  batch->requests.clear();
  batch->needed = 0;
  batch->valid = true;
  RequestLimits limits;
  limits.bulk_bytes_max = static_cast<uint64_t>(engine_->settings().proto_max_bulk_len);
  bool authenticated = client.session().authenticated;
  while (from < data.size() && batch->requests.size() < kBatchMax) {
    // Unquoted inline words live in the parser until its next use, so an inline request ends its
    // batch.
    bool is_inline = data[from] != '*';
    if (is_inline && !batch->requests.empty()) return;
    auto first = static_cast<uint32_t>(batch->args.size());
    size_t used = 0;
    switch (client.parser_.Parse(data.substr(from), authenticated, limits, &batch->args, &used)) {
      case RequestParser::Outcome::kNeedMore:
        // Not more than the limit allows: what is beyond it must be seen, not waited for.
        if (batch->requests.empty()) {
          batch->needed =
              std::min(client.parser_.needed(),
                       static_cast<size_t>(engine_->settings().client_query_buffer_limit) + 1);
        }
        return;
      case RequestParser::Outcome::kError:
        // The requests in front may log the client in: then this one may be as large as it is.
        if (!authenticated && !batch->requests.empty()) {
          client.parser_.Reset();
        } else {
          batch->valid = false;
        }
        return;
      case RequestParser::Outcome::kCommand:
        break;
    }
    from += used;
    batch->requests.push_back({first, static_cast<uint32_t>(batch->args.size()) - first, from, {}});
    if (is_inline) return;
  }
}

void Clients::Prepare(Connection& connection, std::string_view data, size_t slot) {
  NetClient* client = FindByConnection(connection);
  if (client == nullptr) return;
  // What is prepared and not used is parsed again.
  if (client->prepared_) client->parser_.Reset();
  ParseBatch(*client, data, 0, &slots_[slot]);
  client->prepared_ = true;
}

void Clients::TakePrepared(NetClient& client, std::string_view data, size_t from) {
  client.prepared_ = false;
  const int slot = client.connection_->prepared_slot();
  if (slot >= 0 && from == 0) {
    std::swap(batch_, slots_[static_cast<size_t>(slot)]);
  } else {
    // Parsed ahead for nothing: the client was held up meanwhile.
    client.parser_.Reset();
    ParseBatch(client, data, from, &batch_);
  }
}

void Clients::PrefetchBatch(Session& session) {
  Database& db = engine_->keyspace().db(session.db_index);
  // The common case is a batch of one command on many keys: the registry is asked only when the
  // name changes.
  std::string_view name;
  int first_key = 0;
  for (Request& request : batch_.requests) {
    if (request.arg_count < 2) continue;
    const std::string_view* args = &batch_.args[request.first_arg];
    if (args[0] != name) {
      name = args[0];
      const Command* command = engine_->commands().Find(name);
      first_key = command == nullptr ? 0 : command->keys.first;
    }
    if (first_key <= 0 || static_cast<uint32_t>(first_key) >= request.arg_count) continue;
    request.hint = {static_cast<size_t>(first_key), HashBytes(args[first_key])};
    db.PrefetchBucket(request.hint.hash);
  }
  if (batch_.requests.size() == 1) return;
  for (const Request& request : batch_.requests) {
    if (request.hint.arg != SIZE_MAX) db.PrefetchEntry(request.hint.hash);
  }
  for (const Request& request : batch_.requests) {
    if (request.hint.arg != SIZE_MAX) db.PrefetchValue(request.hint.hash);
  }
}

bool Clients::OverInputLimit(const NetClient& client, size_t left) const {
  // What is queued for a transaction was input as well.
  const Transaction* transaction = client.session_.transaction.get();
  if (transaction != nullptr) left += transaction->argument_bytes;
  return left > static_cast<size_t>(engine_->settings().client_query_buffer_limit);
}

size_t Clients::RunBatches(NetClient& client, std::string_view data, bool* valid) {
  Session& session = client.session();
  const Connection& connection = *client.connection_;
  size_t used = 0;
  while (*valid && used < data.size() && !session.blocked() && !connection.closing()) {
    const size_t begin = used;
    *valid = NextBatch(client, data, used);
    if (batch_.requests.empty()) break;
    PrefetchBatch(session);
    for (size_t i = 0; i < batch_.requests.size(); ++i) {
      const Request request = batch_.requests[i];
      const size_t before = used;
      used = request.end;
      if (request.arg_count > 0) {
        client.running_ = Args(&batch_.args[request.first_arg], request.arg_count);
        if (!engine_->Process(session, client.running_, request.hint)) [[unlikely]]
          used = before;
      }
      // A pipeline must not make more output than the limit allows before it is looked at.
      constexpr size_t kLooksFrom = 1 << 20;
      if (client.connection_->out().size() > kLooksFrom) [[unlikely]]
        CheckOutputLimit(client);
      if (memory_limit_ != 0) [[unlikely]] {
        Measure(client);
        EvictClients();
      }
      if (session.blocked() || connection.closing()) {
        // What follows was parsed for nothing; the parser keeps no state about complete requests.
        client.parser_.Reset();
        *valid = true;
        break;
      }
    }
    if (used == begin) break;
  }
  client.running_ = {};
  return used;
}

size_t Clients::OnInput(Connection& connection, std::string_view data) {
  NetClient* client = FindByConnection(connection);
  if (client == nullptr) return data.size();
  Session& session = client->session();
  // A command that runs the loop (a yielding module) may get here again: the scratch of the outer
  // batch is then in use.
  ParsedBatch saved;
  bool nested = in_batch_;
  if (nested) std::swap(saved, batch_);
  client->offered_bytes_ = data.size();
  if (memory_limit_ != 0) [[unlikely]] {
    // Before what has come runs: it may be what takes too much.
    ScheduleMeasure(*client);
    MeasureScheduled();
    EvictClients();
  }
  in_batch_ = true;
  bool valid = true;
  size_t used = RunBatches(*client, data, &valid);
  if (OverInputLimit(*client, data.size() - used)) {
    engine_->logger().Log(LogLevel::kWarning,
                          "Closing client that reached max query buffer length: id=" +
                              std::to_string(session.id()) + " addr=" + client->peer());
    connection.Close();
  }
  if (!valid && !connection.closing() && !session.blocked()) {
    session.reply().Error("ERR Protocol error: " + std::string(client->parser_.error()));
    connection.CloseAfterFlush();
    used = data.size();
  }
  if (!connection.out().empty()) {
    connection.ScheduleWrite();
    CheckOutputLimit(*client);
  }
  // One huge request must not leave its size behind.
  constexpr size_t kArgsKept = 16 * 1024;
  if (batch_.args.capacity() > kArgsKept) [[unlikely]]
    std::vector<std::string_view>().swap(batch_.args);
  client->offered_bytes_ = 0;
  ScheduleMeasure(*client);
  in_batch_ = nested;
  if (nested) std::swap(saved, batch_);
  return used;
}

void Clients::CheckOutputLimit(NetClient& client) {
  const Settings& settings = engine_->settings();
  const OutputLimit& limit = OutputLimitOf(client.session(), settings);
  // Chunks grow with the output: their memory would be over the limit before the output is.
  size_t bytes = client.connection_->out().size();
  // Who is not logged in gets no more than errors, and is not to fill memory with them.
  constexpr size_t kStrangersOutputMax = 17 * 1024;
  bool close =
      bytes > kStrangersOutputMax && !client.session().authenticated && engine_->LoginRequired();
  if (!close && limit.hard_bytes == 0 && limit.soft_bytes == 0) return;
  close |= limit.hard_bytes != 0 && bytes >= limit.hard_bytes;
  if (limit.soft_bytes != 0 && bytes >= limit.soft_bytes) {
    int64_t now = MonotonicNanos() / 1'000'000;
    if (client.over_soft_limit_since_ms_ == 0) client.over_soft_limit_since_ms_ = now;
    close |= now - client.over_soft_limit_since_ms_ > limit.soft_seconds * 1000;
  } else {
    client.over_soft_limit_since_ms_ = 0;
  }
  if (!close || client.connection_->closing()) return;
  engine_->logger().Log(LogLevel::kWarning,
                        "Client id=" + std::to_string(client.session().id()) +
                            " addr=" + client.peer() +
                            " scheduled to be closed ASAP for overcoming of output buffer limits.");
  client.connection_->Close();
}

void Clients::CheckTimeouts() {
  if (memory_limit_ != 0) [[unlikely]] {
    MeasureAll();
    EvictClients();
  }
  int64_t limit_ms = engine_->settings().timeout * 1000;
  for (auto& [id, client] : by_id_) {
    CheckOutputLimit(*client);
    const Session& session = client->session();
    if (limit_ms == 0 || session.blocked() || session.subscribed() || session.monitor) continue;
    if (client->idle_ms() > limit_ms) {
      engine_->logger().Log(LogLevel::kVerbose, "Closing idle client");
      client->Close();
    }
  }
}

}  // namespace backplane
