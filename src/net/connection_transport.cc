// SPDX-License-Identifier: BSD-3-Clause
// Connections with a Transport: the handshake, and reads and writes that may each wait for the
// socket in both directions. Beside connection.cc so that the plain path stays as short as it is.
#include <sys/epoll.h>

#include <algorithm>
#include <cerrno>

#include "net/connection.h"

namespace backplane {

uint32_t Connection::TransportInterest() const {
  if (closing_) return 0;
  if (handshaking_) return handshake_wants_write_ ? EPOLLOUT : EPOLLIN;
  uint32_t wanted = 0;
  if (MayRead()) wanted |= read_wants_write_ ? EPOLLOUT : EPOLLIN;
  if (want_write_) wanted |= write_wants_read_ ? EPOLLIN : EPOLLOUT;
  return wanted;
}

void Connection::OnTransportEvents(uint32_t events) {
  if (handshaking_) return ContinueHandshake();
  bool used = false;
  if (want_write_ && (events & (write_wants_read_ ? EPOLLIN : EPOLLOUT)) != 0) {
    used = true;
    FlushNow();
  }
  if (closing_) return;
  if (MayRead() && (events & (read_wants_write_ ? EPOLLOUT : EPOLLIN)) != 0) {
    used = true;
    if (set_->threaded_reading_) {
      ScheduleRead();
    } else {
      ReadOnce();
    }
  }
  if (!used && (events & (EPOLLERR | EPOLLHUP | EPOLLRDHUP)) != 0) Close();
}

void Connection::ContinueHandshake() {
  const Transport::Io io = transport_->Handshake();
  if (io == Transport::Io::kEnd || io == Transport::Io::kFailed) {
    handler_->OnHandshakeFailed(*this, transport_->error());
    return Close();
  }
  handshake_wants_write_ = io == Transport::Io::kWantWrite;
  if (io == Transport::Io::kDone) {
    handshaking_ = false;
    --set_->handshakes_;
  }
  UpdateInterest();
  if (io != Transport::Io::kDone) return;
  FlushNow();
  // The first request may have come with the end of the handshake: the socket is silent about it.
  if (MayRead()) ReadOnce();
}

bool Connection::FlushTransport() {
  if (handshaking_) {
    if (out_.empty() && close_after_flush_) Close();
    return false;
  }
  constexpr int kParts = 64;
  while (!out_.empty()) {
    iovec parts[kParts];
    const int count = out_.Gather(parts, kParts);
    if (count == 0) break;  // an open deferred reply holds the rest back
    const Transport::Outcome outcome = transport_->Write(parts, count);
    CountSent(outcome.bytes);
    if (outcome.io == Transport::Io::kDone) continue;
    if (outcome.io == Transport::Io::kEnd || outcome.io == Transport::Io::kFailed) {
      Close();
      return false;
    }
    NoteTransportWrite(outcome.io);
    break;
  }
  return EndFlush();
}

void Connection::NoteTransportWrite(Transport::Io io) {
  const bool wants_read = io == Transport::Io::kWantRead;
  if (wants_read == write_wants_read_) return;
  write_wants_read_ = wants_read;
  if (want_write_) UpdateInterest();
}

void Connection::NoteTransportRead(Transport::Io io) {
  const bool wants_write = io == Transport::Io::kWantWrite;
  if (wants_write != read_wants_write_) {
    read_wants_write_ = wants_write;
    UpdateInterest();
  }
  more_input_ = io == Transport::Io::kDone;
  if (more_input_) ReadInNextTurn();
}

// As read(2): 0 at the end, -1 with errno.
ssize_t Connection::ReadTransport(char* target, size_t room) {
  const Transport::Outcome outcome = transport_->Read(target, room);
  NoteTransportRead(outcome.io);
  if (outcome.bytes > 0) return static_cast<ssize_t>(outcome.bytes);
  if (outcome.io == Transport::Io::kEnd) return 0;
  errno = outcome.io == Transport::Io::kFailed ? EPROTO : EAGAIN;
  return -1;
}

int64_t ConnectionSet::HandshakePeriodMs() const {
  constexpr int64_t kLongestMs = 1000;
  return std::clamp<int64_t>(handshake_ms_max_ / 4, 1, kLongestMs);
}

int64_t ConnectionSet::OnTimer() {
  if (handshakes_ == 0) {
    handshake_timer_ = 0;
    return -1;
  }
  for (const auto& connection : connections_) {
    if (!connection->handshaking_ || connection->closing_) continue;
    if (connection->handshake_until_ms_ > loop_->now_ms()) continue;
    connection->handler_->OnHandshakeFailed(*connection, "handshake took too long");
    connection->Close();
  }
  return HandshakePeriodMs();
}

}  // namespace backplane
