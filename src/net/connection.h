// SPDX-License-Identifier: BSD-3-Clause
// Connection: one stream socket: input to a handler as contiguous bytes, output from an
// OutputBuffer once per loop turn. Engine thread.
//
// Reading: bytes are read into a buffer that all connections share and handed to the handler, which
// says how many it used; only a rest is copied to the connection's own buffer. So an idle
// connection holds no input memory, and a pipelined batch is parsed where the kernel put it.
// Writing: whoever adds to out() calls ScheduleWrite(); ConnectionSet writes all scheduled ones
// before the loop waits. Life: owned by its ConnectionSet. Close() takes effect at the end of the
// turn, so pointers stay good within a turn.
//
// A connection with a Transport (TLS) opens with a handshake, of which the handler sees nothing: no
// input comes and no output leaves before. One that does not get through in time is closed.
//
// With I/O threads (docs/design/io-threads.md) many sockets are read, or written, at once within a
// turn, while the engine thread takes part and waits; everything else stays on the engine thread.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "net/event_loop.h"
#include "net/transport.h"
#include "resp/output_buffer.h"

namespace backplane {

class Connection;
class ConnectionSet;

class ConnectionHandler {
 public:
  virtual ~ConnectionHandler() = default;
  // All unread bytes. Returns how many were used; the rest is offered again with more behind it.
  // The views die with the call.
  virtual size_t OnInput(Connection& connection, std::string_view data) = 0;
  // The connection is about to be destroyed (peer gone, error, Close). The handler forgets it.
  virtual void OnClosed(Connection& connection) = 0;
  // The transport's handshake failed for this reason; OnClosed follows.
  virtual void OnHandshakeFailed(Connection& /*connection*/, const std::string& /*why*/) {}
  // On an I/O thread, while nothing else runs but this for other connections: may look at all
  // unread bytes ahead of the OnInput that is likely to follow with the same bytes at the same
  // address, in which prepared_slot() is `slot`. Slots are below kSlotsMax, each used once at a
  // time. Must not allocate as a rule: memory is counted on the engine thread.
  static constexpr size_t kSlotsMax = 256;
  virtual void Prepare(Connection& /*connection*/, std::string_view /*data*/, size_t /*slot*/) {}
};

class Connection final : public FdHandler {
 public:
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  int fd() const { return fd_; }
  OutputBuffer& out() { return out_; }
  ConnectionHandler* handler() { return handler_; }
  // Whatever the handler keeps about this connection; not looked at.
  void set_user_data(void* data) { user_data_ = data; }
  void* user_data() const { return user_data_; }

  // Output will be written before the loop waits next. Cheap to repeat.
  void ScheduleWrite();
  // Tries to write now; true when nothing is left.
  bool FlushNow();
  // Destroys the connection at the end of the turn; unsent output is lost.
  void Close();
  // Of a connection that is closing: frees the output that is lost with it now, not at the end of
  // the turn.
  void DropOutput();
  // Reads no more; closes once the output has been sent.
  void CloseAfterFlush();
  bool closing() const { return closing_ || close_after_flush_; }
  // Nothing but the end of the turn is left to it.
  bool gone() const { return closing_; }
  // While pinned it is not destroyed, even if the peer goes or somebody closes it, and nothing is
  // read: its client's command runs long, and others are served within it. Pins are counted.
  void set_pinned(bool pinned);

  // While paused, nothing is read and OnInput is not called (a blocked client). Resuming offers the
  // bytes left over at once, at the latest in the next turn.
  void PauseReading();
  void ResumeReading();
  bool reading_paused() const { return paused_; }

  // The handler knows that `bytes` unread bytes are needed before it can go on: the buffer is sized
  // for it, and OnInput is not called before.
  void ExpectBytes(size_t bytes) { expected_ = bytes; }

  // Within OnInput: what Prepare got; -1 when there was none for these bytes.
  int prepared_slot() const { return prepared_slot_; }

  size_t input_bytes() const { return pending_.size(); }  // read, not used
  size_t input_capacity() const { return pending_.capacity(); }
  int64_t last_input_ms() const { return last_input_ms_; }  // loop time
  uint64_t bytes_in() const { return bytes_in_; }
  uint64_t bytes_out() const { return bytes_out_; }

  // "127.0.0.1:1234", "[::1]:1234" as "::1:1234", or the socket's path with ":0".
  const std::string& peer() const { return peer_; }
  const std::string& local() const { return local_; }
  bool is_unix() const { return is_unix_; }
  // nullptr for a plain connection.
  const Transport* transport() const { return transport_.get(); }
  // Peer on the loopback interface or a Unix socket: what protected mode lets in.
  bool is_loopback() const { return is_loopback_; }

  void OnEvents(uint32_t events) override;

 private:
  friend class ConnectionSet;
  Connection(ConnectionSet* set, int fd, ConnectionHandler* handler,
             std::unique_ptr<Transport> transport);
  bool MayRead() const { return !paused_ && pins_ == 0 && !close_after_flush_ && !closing_; }
  void ReadOnce();
  void ReadInNextTurn();
  void CloseAtEndOfInput();
  void Offer(std::string_view data);
  void UpdateInterest();
  void ScheduleResume();
  void CountSent(size_t bytes);
  void CountReceived(size_t bytes);
  bool EndFlush();
  // With a transport; see connection_transport.cc.
  void OnTransportEvents(uint32_t events);
  void ContinueHandshake();
  bool FlushTransport();
  ssize_t ReadTransport(char* target, size_t room);
  uint32_t TransportInterest() const;
  void NoteTransportRead(Transport::Io io);
  void NoteTransportWrite(Transport::Io io);
  // With I/O threads; see io_phases.cc. Begin... and Finish... are the engine thread's.
  void ScheduleRead();
  void BeginThreadRead();
  void ThreadRead(size_t slot);
  void FinishThreadRead(size_t slot);
  void ThreadWrite();
  void FinishThreadWrite();

  ConnectionSet* set_;
  int fd_;
  ConnectionHandler* handler_;
  void* user_data_ = nullptr;
  OutputBuffer out_;
  std::string pending_;
  size_t expected_ = 0;
  uint32_t interest_ = 0;
  bool write_scheduled_ = false;
  bool want_write_ = false;
  bool closing_ = false;
  int pins_ = 0;
  bool close_after_flush_ = false;
  bool paused_ = false;
  bool resume_scheduled_ = false;
  bool is_unix_ = false;
  bool is_loopback_ = false;
  bool handshaking_ = false;
  bool handshake_wants_write_ = false;
  bool read_wants_write_ = false;  // the transport cannot read before it has written
  bool write_wants_read_ = false;  // and the other way round
  bool input_ends_ = false;        // the end was told: everything up to it is to be read
  bool more_input_ = false;        // there may be input that no event announces
  bool read_scheduled_ = false;    // in the set's list of those to be read together
  bool thread_write_ = false;      // has been written to by ThreadWrite
  int prepared_slot_ = -1;
  int64_t handshake_until_ms_ = 0;  // loop time
  // What ThreadRead or ThreadWrite has done, for Finish...: bytes, or -1 with errno.
  struct ThreadResult {
    ssize_t bytes = 0;
    int error = 0;
    Transport::Io io = Transport::Io::kDone;
  };
  ThreadResult thread_result_;
  std::unique_ptr<Transport> transport_;
  int64_t last_input_ms_ = 0;
  uint64_t bytes_in_ = 0;
  uint64_t bytes_out_ = 0;
  size_t index_ = 0;  // in the set
  std::string peer_;
  std::string local_;
};

class IoThreads;

// Something that has to be done before what was replied may be seen: the append-only file is
// written first. Not owned.
class OutputBarrier {
 public:
  virtual ~OutputBarrier() = default;
  // Before output is given to the kernel. Engine thread.
  virtual void BeforeOutput() = 0;
};

// All connections of one loop. As a LoopHook it flushes scheduled output, resumes connections and
// destroys closed ones before each wait.
class ConnectionSet final : public LoopHook, private TimerHandler {
 public:
  explicit ConnectionSet(EventLoop* loop);
  ~ConnectionSet() override;

  // Takes the accepted, non-blocking socket; the handler outlives the connection. nullptr (and the
  // fd is closed) when the loop refuses it.
  Connection* Adopt(int fd, ConnectionHandler* handler,
                    std::unique_ptr<Transport> transport = nullptr);
  size_t size() const { return connections_.size(); }
  EventLoop& loop() { return *loop_; }
  // How long the handshake of a transport may take.
  void set_handshake_ms_max(int64_t ms) { handshake_ms_max_ = ms; }
  // Not owned; null: none. `reads`: reading too. They help in turns with at least two connections
  // for each of them.
  void set_io_threads(IoThreads* threads, bool reads);
  // Null: output goes at once.
  void set_output_barrier(OutputBarrier* barrier) { barrier_ = barrier; }
  // How many reads and writes they took part in, for INFO.
  uint64_t threaded_reads() const { return threaded_reads_; }
  uint64_t threaded_writes() const { return threaded_writes_; }
  // Total traffic of all connections ever, for INFO.
  uint64_t total_bytes_in() const { return total_in_; }
  uint64_t total_bytes_out() const { return total_out_; }
  // How often something was read, or sent.
  uint64_t total_reads() const { return reads_; }
  uint64_t total_writes() const { return writes_; }
  // In a forked child: closes its copies of the sockets. Connections must not be used there
  // afterwards.
  void CloseInForkedChild();
  // Flushes and destroys everything.
  void CloseAll();

  int BeforeWait() override;
  void AfterWait() override {}
  void AfterEvents() override {
    if (!reading_.empty() || !taken_.empty()) [[unlikely]]
      ReadTogether();
  }

 private:
  friend class Connection;
  void Destroy(Connection* connection);
  void ReadTogether();
  void FinishReads();
  void WriteTogether();
  int64_t OnTimer() override;  // ends handshakes that take too long
  int64_t HandshakePeriodMs() const;
  static constexpr size_t kSharedInputBytes = 64 * 1024;
  EventLoop* loop_;
  std::unique_ptr<char[]> shared_input_;
  bool shared_input_busy_ = false;
  std::vector<Connection*> scheduled_;
  std::vector<Connection*> resuming_;
  size_t resume_next_ = 0;             // the first that BeforeWait has not come to
  std::vector<Connection*> buffered_;  // to be read from again in the next turn
  std::vector<Connection*> reading_;   // to be read from after the events of this turn
  std::vector<Connection*> taken_;     // those that the I/O threads have read from
  std::vector<Connection*> closed_;
  std::vector<std::unique_ptr<Connection>> connections_;
  uint64_t total_in_ = 0;
  uint64_t total_out_ = 0;
  uint64_t reads_ = 0;
  uint64_t writes_ = 0;
  int64_t handshake_ms_max_ = 10'000;
  size_t handshakes_ = 0;
  IoThreads* threads_ = nullptr;
  OutputBarrier* barrier_ = nullptr;
  bool threaded_reading_ = false;
  uint64_t threaded_reads_ = 0;
  uint64_t threaded_writes_ = 0;
  EventLoop::TimerId handshake_timer_ = 0;  // 0: none is open
};

}  // namespace backplane
