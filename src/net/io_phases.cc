// SPDX-License-Identifier: BSD-3-Clause
// Connections and their set with I/O threads: many sockets read, or written, at once. Who owns what
// at which moment is said in docs/design/io-threads.md; here, functions named Thread... run on any
// thread and touch their own connection only, all others are the engine thread's.
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "net/connection.h"
#include "net/io_threads.h"

namespace backplane {
namespace {

constexpr int kParts = 64;
// Fewer connections than this for each thread are done sooner than a thread is woken up.
constexpr size_t kConnectionsPerThread = 2;

}  // namespace

void ConnectionSet::set_io_threads(IoThreads* threads, bool reads) {
  threads_ = threads;
  threaded_reading_ = threads != nullptr && reads;
}

void Connection::ScheduleRead() {
  if (read_scheduled_) return;
  read_scheduled_ = true;
  set_->reading_.push_back(this);
}

// Memory is had here, not by the thread: what the engine thread frees must be what it allocated, or
// its count of memory drifts.
void Connection::BeginThreadRead() {
  constexpr size_t kStep = 16 * 1024;
  constexpr size_t kStepMax = 4 * 1024 * 1024;
  if (transport_ == nullptr) more_input_ = false;
  const size_t have = pending_.size();
  const size_t room = expected_ > have ? std::min(expected_ - have, kStepMax) : kStep;
  pending_.reserve(have + room);
  thread_result_ = {};
}

void Connection::ThreadRead(size_t slot) {
  const size_t have = pending_.size();
  pending_.resize_and_overwrite(pending_.capacity(), [&](char* data, size_t size) {
    char* target = data + have;
    const size_t room = size - have;
    ssize_t bytes;
    if (transport_ == nullptr) {
      bytes = recv(fd_, target, room, MSG_DONTWAIT);
      thread_result_.error = errno;
    } else {
      const Transport::Outcome outcome = transport_->Read(target, room);
      bytes = static_cast<ssize_t>(outcome.bytes);
      thread_result_.io = outcome.io;
    }
    thread_result_.bytes = bytes;
    return have + static_cast<size_t>(std::max<ssize_t>(bytes, 0));
  });
  if (thread_result_.bytes > 0 && pending_.size() >= expected_)
    handler_->Prepare(*this, pending_, slot);
}

void Connection::FinishThreadRead(size_t slot) {
  const ThreadResult result = thread_result_;
  if (closing_) return;
  if (transport_ != nullptr) {
    NoteTransportRead(result.io);
    if (result.bytes == 0) {
      if (result.io == Transport::Io::kEnd || result.io == Transport::Io::kFailed) Close();
      return;
    }
  } else if (result.bytes <= 0) {
    if (result.bytes == 0) return CloseAtEndOfInput();
    if (result.error == EINTR) {
      ReadInNextTurn();
    } else if (result.error != EAGAIN) {
      Close();
    }
    return;
  }
  CountReceived(static_cast<size_t>(result.bytes));
  const bool full = pending_.size() == pending_.capacity();
  if (transport_ == nullptr && (full || input_ends_)) ReadInNextTurn();
  // Another client's command may have paused this one meanwhile; resuming offers the bytes.
  if (pending_.size() < expected_ || !MayRead()) return;
  prepared_slot_ = static_cast<int>(slot);
  Offer(pending_);
  prepared_slot_ = -1;
}

void ConnectionSet::FinishReads() {
  for (size_t i = 0; i < taken_.size(); ++i) {
    Connection* c = taken_[i];
    if (c == nullptr) continue;
    taken_[i] = nullptr;
    c->FinishThreadRead(i);
  }
  taken_.clear();
}

// A command may run the loop within itself (a busy script) and so come here again: the lists are
// members, each entry is taken out before it is worked on, and what the outer turn has read is
// finished before slots are used anew.
void ConnectionSet::ReadTogether() {
  class ReadBatch final : public IoThreads::Batch {
   public:
    explicit ReadBatch(const std::vector<Connection*>& connections) : connections_(connections) {}
    void Do(size_t index) override { connections_[index]->ThreadRead(index); }

   private:
    const std::vector<Connection*>& connections_;
  };

  FinishReads();
  const size_t worth_it = kConnectionsPerThread * static_cast<size_t>(threads_->count());
  while (reading_.size() >= worth_it) {
    const size_t count = std::min(reading_.size(), ConnectionHandler::kSlotsMax);
    for (size_t i = 0; i < count; ++i) {
      Connection* c = reading_[i];
      // It was read in the turn around this one, or stands here twice.
      if (!c->read_scheduled_) continue;
      c->read_scheduled_ = false;
      if (c->closing_ || !c->MayRead()) continue;
      c->BeginThreadRead();
      taken_.push_back(c);
    }
    reading_.erase(reading_.begin(), reading_.begin() + static_cast<ptrdiff_t>(count));
    ReadBatch batch(taken_);
    threads_->Run(batch, taken_.size());
    threaded_reads_ += taken_.size();
    FinishReads();
  }
  // A few.
  while (!reading_.empty()) {
    Connection* c = reading_.front();
    reading_.erase(reading_.begin());
    if (!c->read_scheduled_) continue;
    c->read_scheduled_ = false;
    if (!c->closing_ && c->MayRead()) c->ReadOnce();
  }
}

// Sends from the front of the output without taking it out: its memory is the engine thread's.
void Connection::ThreadWrite() {
  iovec parts[kParts];
  const int count = out_.Gather(parts, kParts);
  thread_result_ = {};
  if (count == 0) return;
  if (transport_ == nullptr) {
    msghdr message{};
    message.msg_iov = parts;
    message.msg_iovlen = static_cast<size_t>(count);
    thread_result_.bytes = sendmsg(fd_, &message, MSG_NOSIGNAL);
    thread_result_.error = errno;
    return;
  }
  int at = 0;
  while (at < count && thread_result_.io == Transport::Io::kDone) {
    const Transport::Outcome outcome = transport_->Write(parts + at, count - at);
    thread_result_.io = outcome.io;
    thread_result_.bytes += static_cast<ssize_t>(outcome.bytes);
    size_t left = outcome.bytes;
    while (at < count && left >= parts[at].iov_len) left -= parts[at++].iov_len;
    if (at == count) break;
    parts[at].iov_base = static_cast<char*>(parts[at].iov_base) + left;
    parts[at].iov_len -= left;
  }
}

void Connection::FinishThreadWrite() {
  const ThreadResult result = thread_result_;
  if (result.bytes < 0 && result.error != EAGAIN && result.error != EINTR) return Close();
  if (result.bytes > 0) CountSent(static_cast<size_t>(result.bytes));
  if (result.io == Transport::Io::kEnd || result.io == Transport::Io::kFailed) return Close();
  if (result.io != Transport::Io::kDone) {
    NoteTransportWrite(result.io);
    EndFlush();
  } else {
    // Whether there is more, and what becomes of it, is decided where it always is.
    FlushNow();
  }
}

void ConnectionSet::WriteTogether() {
  class WriteBatch final : public IoThreads::Batch {
   public:
    explicit WriteBatch(const std::vector<Connection*>& connections) : connections_(connections) {}
    void Do(size_t index) override {
      if (connections_[index]->thread_write_) connections_[index]->ThreadWrite();
    }

   private:
    const std::vector<Connection*>& connections_;
  };

  if (scheduled_.size() < kConnectionsPerThread * static_cast<size_t>(threads_->count())) return;
  for (Connection* c : scheduled_) {
    c->thread_write_ = !c->closing_ && !c->handshaking_ && !c->out_.empty();
    threaded_writes_ += c->thread_write_ ? 1 : 0;
  }
  if (barrier_ != nullptr) [[unlikely]]
    barrier_->BeforeOutput();
  WriteBatch batch(scheduled_);
  threads_->Run(batch, scheduled_.size());
}

}  // namespace backplane
