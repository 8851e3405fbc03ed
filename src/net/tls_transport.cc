// SPDX-License-Identifier: BSD-3-Clause
// TlsTransport over an SSL object. OpenSSL's list of errors is per thread and is looked at by
// SSL_get_error, so it is emptied before every call.
#include "net/tls_transport.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace backplane {
namespace {

// What one TLS record carries at most. Small parts of the output are put together up to this size:
// each record costs its own header, tag and system call.
constexpr size_t kRecordBytes = 16 * 1024;

}  // namespace

std::string TakeOpenSslError() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  constexpr size_t kTextMax = 256;
  char text[kTextMax];
  ERR_error_string_n(code, text, sizeof(text));
  return text;
}

TlsTransport::~TlsTransport() { SSL_free(session_); }

Transport::Io TlsTransport::Why(int result) {
  const int saved_errno = errno;
  switch (SSL_get_error(session_, result)) {
    case SSL_ERROR_WANT_READ:
      return Io::kWantRead;
    case SSL_ERROR_WANT_WRITE:
      return Io::kWantWrite;
    case SSL_ERROR_ZERO_RETURN:
      return Io::kEnd;
    case SSL_ERROR_SYSCALL:
      open_ = false;
      error_ = saved_errno == 0 ? "connection closed" : std::strerror(saved_errno);
      ERR_clear_error();
      return Io::kFailed;
    default:
      open_ = false;
      error_ = TakeOpenSslError();
      return Io::kFailed;
  }
}

Transport::Io TlsTransport::Handshake() {
  ERR_clear_error();
  errno = 0;
  const int result = SSL_do_handshake(session_);
  if (result == 1) {
    open_ = true;
    return Io::kDone;
  }
  const Io io = Why(result);
  if (io == Io::kEnd) error_ = "connection closed";
  return io;
}

Transport::Outcome TlsTransport::Read(char* target, size_t room) {
  if (!error_.empty()) return {Io::kFailed, 0};
  Outcome outcome;
  for (;;) {
    ERR_clear_error();
    errno = 0;
    size_t got = 0;
    const int result = SSL_read_ex(session_, target + outcome.bytes, room - outcome.bytes, &got);
    if (result != 1) {
      outcome.io = Why(result);
      const bool over = outcome.io == Io::kEnd || outcome.io == Io::kFailed;
      // The bytes first; the next call tells of the end again.
      if (over && outcome.bytes > 0) outcome.io = Io::kDone;
      return outcome;
    }
    outcome.bytes += got;
    if (outcome.bytes == room) {
      outcome.io = SSL_has_pending(session_) == 1 ? Io::kDone : Io::kWantRead;
      return outcome;
    }
    // Nothing is buffered, not even part of a record: a further call would only ask the kernel.
    if (SSL_has_pending(session_) == 0) {
      outcome.io = Io::kWantRead;
      return outcome;
    }
  }
}

Transport::Outcome TlsTransport::Write(const iovec* parts, int count) {
  if (!error_.empty()) return {Io::kFailed, 0};
  char record[kRecordBytes];
  const void* bytes = parts[0].iov_base;
  size_t size = parts[0].iov_len;
  if (size < kRecordBytes && count > 1) {
    size = 0;
    for (int i = 0; i < count && size < kRecordBytes; ++i) {
      const size_t taken = std::min(parts[i].iov_len, kRecordBytes - size);
      std::memcpy(record + size, parts[i].iov_base, taken);
      size += taken;
    }
    bytes = record;
  }
  ERR_clear_error();
  errno = 0;
  Outcome outcome;
  const int result = SSL_write_ex(session_, bytes, size, &outcome.bytes);
  if (result != 1) outcome = {Why(result), 0};
  return outcome;
}

void TlsTransport::Close() {
  if (!open_) return;
  open_ = false;
  ERR_clear_error();
  // Once: the peer's answer is not waited for.
  SSL_shutdown(session_);
  ERR_clear_error();
}

std::string TlsTransport::PeerCertificate() const {
  X509* certificate = SSL_get0_peer_certificate(session_);
  BIO* memory = certificate == nullptr ? nullptr : BIO_new(BIO_s_mem());
  if (memory == nullptr) return {};
  std::string text;
  if (PEM_write_bio_X509(memory, certificate) == 1) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(memory, &data);
    text.assign(data, static_cast<size_t>(size));
  }
  BIO_free(memory);
  return text;
}

}  // namespace backplane
