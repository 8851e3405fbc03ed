// SPDX-License-Identifier: BSD-3-Clause
// Connection and ConnectionSet: socket input and output.
#include "net/connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace backplane {
namespace {

constexpr int kIovMax = 64;
// An edge costs the kernel a look at the socket less than a level, which it asks for again before
// each wait. Whoever gets one reads until a read comes back short. The end of the input is an edge
// as well: it is told once, maybe long before all that came ahead of it is read.
constexpr uint32_t kInputEdges = EPOLLIN | EPOLLRDHUP | EPOLLET;
constexpr uint32_t kEndOfInput = EPOLLERR | EPOLLHUP | EPOLLRDHUP;

std::string AddressText(const sockaddr_storage& address, const char* unix_path) {
  char host[INET6_ADDRSTRLEN] = "?";
  if (address.ss_family == AF_INET) {
    const auto& in = reinterpret_cast<const sockaddr_in&>(address);
    inet_ntop(AF_INET, &in.sin_addr, host, sizeof(host));
    return std::string(host) + ":" + std::to_string(ntohs(in.sin_port));
  }
  if (address.ss_family == AF_INET6) {
    const auto& in = reinterpret_cast<const sockaddr_in6&>(address);
    inet_ntop(AF_INET6, &in.sin6_addr, host, sizeof(host));
    return "[" + std::string(host) + "]:" + std::to_string(ntohs(in.sin6_port));
  }
  return std::string(unix_path) + ":0";
}

bool IsLoopback(const sockaddr_storage& address) {
  if (address.ss_family == AF_UNIX) return true;
  if (address.ss_family == AF_INET) {
    return (ntohl(reinterpret_cast<const sockaddr_in&>(address).sin_addr.s_addr) >> 24) == 127;
  }
  const auto& in = reinterpret_cast<const sockaddr_in6&>(address);
  if (IN6_IS_ADDR_LOOPBACK(&in.sin6_addr)) return true;
  return IN6_IS_ADDR_V4MAPPED(&in.sin6_addr) && in.sin6_addr.s6_addr[12] == 127;
}

}  // namespace

Connection::Connection(ConnectionSet* set, int fd, ConnectionHandler* handler,
                       std::unique_ptr<Transport> transport)
    : set_(set),
      fd_(fd),
      handler_(handler),
      handshaking_(transport != nullptr),
      transport_(std::move(transport)),
      last_input_ms_(set->loop().now_ms()) {
  sockaddr_storage local{};
  sockaddr_storage peer{};
  socklen_t size = sizeof(local);
  getsockname(fd, reinterpret_cast<sockaddr*>(&local), &size);
  size = sizeof(peer);
  getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size);
  const char* path = reinterpret_cast<const sockaddr_un&>(local).sun_path;
  is_unix_ = local.ss_family == AF_UNIX;
  is_loopback_ = IsLoopback(is_unix_ ? local : peer);
  local_ = AddressText(local, path);
  peer_ = is_unix_ ? local_ : AddressText(peer, path);
}

Connection::~Connection() {
  set_->loop().Remove(fd_);
  if (transport_ != nullptr) transport_->Close();
  close(fd_);
}

void Connection::ScheduleWrite() {
  if (write_scheduled_ || closing_) return;
  write_scheduled_ = true;
  set_->scheduled_.push_back(this);
}

void Connection::UpdateInterest() {
  uint32_t wanted = 0;
  if (transport_ != nullptr) [[unlikely]] {
    wanted = TransportInterest();
  } else {
    if (MayRead()) wanted |= kInputEdges;
    if (want_write_ && !closing_) wanted |= EPOLLOUT;
  }
  // Nothing is read, but that the peer has gone must be seen: a client that waits for a key would
  // take what comes with it.
  if (paused_ && pins_ == 0 && !close_after_flush_ && !closing_) wanted |= EPOLLRDHUP;
  if (wanted == interest_) return;
  interest_ = wanted;
  if (!set_->loop().Modify(fd_, wanted)) Close();
}

void Connection::CountSent(size_t bytes) {
  out_.Consume(bytes);
  bytes_out_ += bytes;
  set_->total_out_ += bytes;
  ++set_->writes_;
}

bool Connection::FlushNow() {
  if (set_->barrier_ != nullptr && !out_.empty()) [[unlikely]]
    set_->barrier_->BeforeOutput();
  if (transport_ != nullptr) [[unlikely]]
    return FlushTransport();
  while (!out_.empty()) {
    iovec parts[kIovMax];
    int count = out_.Gather(parts, kIovMax);
    if (count == 0) break;  // an open deferred reply holds the rest back
    // One part needs no gather; send is a little cheaper.
    ssize_t sent;
    if (count == 1) {
      sent = send(fd_, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL | MSG_DONTWAIT);
    } else {
      msghdr message{};
      message.msg_iov = parts;
      message.msg_iovlen = static_cast<size_t>(count);
      sent = sendmsg(fd_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    }
    if (sent < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) {
        Close();
        return false;
      }
      break;
    }
    CountSent(static_cast<size_t>(sent));
  }
  return EndFlush();
}

bool Connection::EndFlush() {
  bool done = out_.empty();
  if (want_write_ == done) {
    want_write_ = !done;
    UpdateInterest();
  }
  if (done && close_after_flush_) Close();
  return done;
}

void Connection::Close() {
  if (closing_) return;
  closing_ = true;
  set_->loop().Remove(fd_);
  set_->closed_.push_back(this);
}

void Connection::DropOutput() {
  // A command that is at work on a reply will fill the hole that it has left.
  if (closing_ && !out_.has_open_hole()) out_.Clear();
}

void Connection::CloseAfterFlush() {
  close_after_flush_ = true;
  ScheduleWrite();
  UpdateInterest();
}

void Connection::set_pinned(bool pinned) {
  pins_ += pinned ? 1 : -1;
  UpdateInterest();
  if (more_input_) [[unlikely]]
    ScheduleResume();
}

void Connection::PauseReading() {
  paused_ = true;
  UpdateInterest();
}

void Connection::ResumeReading() {
  if (!paused_) return;
  paused_ = false;
  UpdateInterest();
  if (!pending_.empty() || more_input_) ScheduleResume();
}

void Connection::ScheduleResume() {
  if (resume_scheduled_) return;
  resume_scheduled_ = true;
  set_->resuming_.push_back(this);
}

void Connection::OnEvents(uint32_t events) {
  if (closing_) return;
  if (transport_ != nullptr) [[unlikely]]
    return OnTransportEvents(events);
  if ((events & EPOLLOUT) != 0) FlushNow();
  if (closing_) return;
  if ((events & EPOLLIN) != 0 && MayRead()) {
    if ((events & kEndOfInput) != 0) [[unlikely]]
      input_ends_ = true;
    if (set_->threaded_reading_) [[unlikely]] {
      ScheduleRead();
    } else {
      ReadOnce();
    }
  } else if ((events & kEndOfInput) != 0) {
    CloseAtEndOfInput();
  }
}

// A turn within a turn may find the end before it has sent what was replied.
void Connection::CloseAtEndOfInput() {
  if (write_scheduled_) FlushNow();
  Close();
}

// Not in this one: a peer that sends as fast as it is read must not keep others waiting, and
// replies leave before the end of the input is found.
void Connection::ReadInNextTurn() {
  more_input_ = true;
  if (resume_scheduled_) return;
  resume_scheduled_ = true;
  set_->buffered_.push_back(this);
}

void Connection::CountReceived(size_t bytes) {
  last_input_ms_ = set_->loop().now_ms();
  bytes_in_ += bytes;
  set_->total_in_ += bytes;
  ++set_->reads_;
}

void Connection::ReadOnce() {
  // A nested turn (a yielding module) may come here while the shared buffer is being parsed: it
  // then reads into the connection's own.
  bool shared = pending_.empty() && !set_->shared_input_busy_;
  char* target = set_->shared_input_.get();
  size_t room = ConnectionSet::kSharedInputBytes;
  size_t old_size = pending_.size();
  if (!shared) {
    constexpr size_t kStep = 16 * 1024;
    constexpr size_t kStepMax = 4 * 1024 * 1024;
    room = expected_ > old_size ? std::min(expected_ - old_size, kStepMax) : kStep;
    pending_.resize(old_size + room);
    target = pending_.data() + old_size;
  }
  if (transport_ == nullptr) more_input_ = false;
  // recv is a hundredth of a small batch's cost cheaper than read, and more so when it need not
  // look at whether the socket blocks.
  ssize_t got =
      transport_ == nullptr ? recv(fd_, target, room, MSG_DONTWAIT) : ReadTransport(target, room);
  if (!shared) pending_.resize(old_size + static_cast<size_t>(std::max<ssize_t>(got, 0)));
  if (got < 0) {
    if (errno == EINTR) {
      ReadInNextTurn();
    } else if (errno != EAGAIN) {
      Close();
    }
    return;
  }
  if (got == 0) return CloseAtEndOfInput();
  if (transport_ == nullptr && (static_cast<size_t>(got) == room || input_ends_)) [[unlikely]]
    ReadInNextTurn();
  CountReceived(static_cast<size_t>(got));
  if (shared) {
    set_->shared_input_busy_ = true;
    Offer(std::string_view(target, static_cast<size_t>(got)));
    set_->shared_input_busy_ = false;
  } else if (pending_.size() >= expected_) {
    Offer(pending_);
  }
}

// `data` is pending_ or the shared buffer.
void Connection::Offer(std::string_view data) {
  expected_ = 0;
  bool own = data.data() == pending_.data() && !pending_.empty();
  std::string held;
  if (own) {
    held.swap(
        pending_);  // the handler may pause and resume; nothing must append to what it looks at
    data = held;
  }
  size_t used = handler_->OnInput(*this, data);
  if (closing_) return;
  if (used >= data.size()) return;
  if (own) {
    if (used > 0) held.erase(0, used);
    held.append(pending_);
    pending_.swap(held);
  } else {
    pending_.insert(0, data.substr(used));
  }
  if (expected_ > pending_.capacity()) {
    constexpr size_t kReserveMax = 4 * 1024 * 1024;
    pending_.reserve(std::min(expected_, pending_.size() + kReserveMax));
  }
}

ConnectionSet::ConnectionSet(EventLoop* loop)
    : loop_(loop), shared_input_(std::make_unique<char[]>(kSharedInputBytes)) {
  loop_->AddHook(this);
}

ConnectionSet::~ConnectionSet() {
  CloseAll();
  if (handshake_timer_ != 0) loop_->RemoveTimer(handshake_timer_);
  loop_->RemoveHook(this);
}

Connection* ConnectionSet::Adopt(int fd, ConnectionHandler* handler,
                                 std::unique_ptr<Transport> transport) {
  std::unique_ptr<Connection> connection(new Connection(this, fd, handler, std::move(transport)));
  connection->interest_ = connection->handshaking_ ? EPOLLIN : kInputEdges;
  if (!loop_->Add(fd, connection->interest_, connection.get())) return nullptr;
  if (connection->handshaking_) {
    connection->handshake_until_ms_ = loop_->now_ms() + handshake_ms_max_;
    ++handshakes_;
    if (handshake_timer_ == 0) handshake_timer_ = loop_->AddTimer(HandshakePeriodMs(), this);
  }
  connections_.push_back(std::move(connection));
  connections_.back()->index_ = connections_.size() - 1;
  return connections_.back().get();
}

int ConnectionSet::BeforeWait() {
  // Handlers may schedule more while these lists are worked off; indexes, not iterators. What is
  // offered may even run the loop, and come here again: that turn goes on where this one is.
  while (resume_next_ < resuming_.size()) {
    Connection* c = resuming_[resume_next_++];
    c->resume_scheduled_ = false;
    if (!c->closing_ && !c->paused_ && c->pins_ == 0 && !c->pending_.empty()) c->Offer(c->pending_);
    if (c->more_input_ && c->MayRead()) [[unlikely]] {
      if (threaded_reading_ && c->transport_ == nullptr) {
        c->ScheduleRead();
      } else {
        c->ReadOnce();
      }
    }
  }
  resuming_.clear();
  resume_next_ = 0;
  if (threads_ != nullptr) [[unlikely]]
    WriteTogether();
  for (size_t i = 0; i < scheduled_.size(); ++i) {
    Connection* c = scheduled_[i];
    c->write_scheduled_ = false;
    const bool written = std::exchange(c->thread_write_, false);
    if (c->closing_) continue;
    if (written) [[unlikely]] {
      c->FinishThreadWrite();
    } else {
      c->FlushNow();
    }
  }
  scheduled_.clear();
  // In the next turn, so that replies leave before the end of the input is found.
  resuming_.insert(resuming_.end(), buffered_.begin(), buffered_.end());
  buffered_.clear();
  std::vector<Connection*> kept;
  for (size_t i = 0; i < closed_.size(); ++i) {
    if (closed_[i]->pins_ != 0) [[unlikely]] {
      kept.push_back(closed_[i]);
    } else {
      Destroy(closed_[i]);
    }
  }
  closed_.swap(kept);
  return scheduled_.empty() && resuming_.empty() && reading_.empty() ? -1 : 0;
}

void ConnectionSet::Destroy(Connection* connection) {
  connection->handler_->OnClosed(*connection);
  std::erase(scheduled_, connection);
  std::erase(resuming_, connection);
  std::erase(buffered_, connection);
  std::erase(reading_, connection);
  std::replace(taken_.begin(), taken_.end(), connection, static_cast<Connection*>(nullptr));
  if (connection->handshaking_) --handshakes_;
  size_t index = connection->index_;
  std::swap(connections_[index], connections_.back());
  connections_[index]->index_ = index;
  connections_.pop_back();
}

void ConnectionSet::CloseInForkedChild() {
  for (auto& connection : connections_) close(connection->fd_);
}

void ConnectionSet::CloseAll() {
  for (auto& connection : connections_) {
    connection->FlushNow();
    connection->Close();
  }
  BeforeWait();
}

}  // namespace backplane
