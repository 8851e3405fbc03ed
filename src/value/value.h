// SPDX-License-Identifier: BSD-3-Clause
// Value: what a key holds when it is not a string (strings live in the keyspace entry itself).
// Built-in types and the adapter for module types derive from it, so nothing is possible for the
// inside only. Engine thread; a value may be destroyed on the lazy-free thread, so destructors
// touch nothing but the value's own memory unless FreeEffort() says that they must run on the
// engine thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "value/serial.h"

namespace backplane {

struct EncodingLimits;
class Value;

// The order is that of the type numbers clients of modules know; kModule covers module values and
// dormant ones.
enum class TypeId : uint8_t {
  kString = 0,
  kList = 1,
  kSet = 2,
  kZSet = 3,
  kHash = 4,
  kModule = 5,
  kStream = 6,
};

// One kind of value. A built-in type is a static constant object; a module's type is owned by the
// module's registration.
class ValueType {
 public:
  virtual ~ValueType() = default;
  virtual TypeId id() const = 0;
  // What TYPE answers ("list", "hash", a module type's own name).
  virtual std::string_view name() const = 0;
  // True for the type of values that wait for their module (dormant_value.h).
  virtual bool is_dormant() const { return false; }
};

class Value {
 public:
  // FreeEffort of a value that must be freed on the engine thread whatever its size.
  static constexpr size_t kFreeOnEngineThread = 0;

  virtual ~Value() = default;

  virtual const ValueType& type() const = 0;
  // What OBJECT ENCODING answers.
  virtual std::string_view encoding_name() const = 0;
  // Elements: what LLEN, HLEN ... answer. Module types without such a notion answer 1.
  virtual uint64_t length() const = 0;

  // Bytes held. `samples` elements are measured and extrapolated; 0 means all.
  virtual size_t MemoryUsage(size_t samples) const = 0;
  // Allocations that the destructor frees, roughly; above a threshold UNLINK moves the work to the
  // lazy-free thread.
  virtual size_t FreeEffort() const = 0;
  // A deep copy, for COPY. nullptr when the type cannot be copied.
  virtual std::unique_ptr<Value> Clone() const = 0;
  // False: Clone never succeeds.
  virtual bool can_clone() const { return true; }

  // Of a value that tells in its own way what it holds, bytes that are the same for equal ones; it
  // is at that key. Empty: it does not tell.
  virtual std::string OwnDigest(std::string_view key, int db) const { return {}; }

  // The RDB type byte for this value in the given RDB version, and its body after that byte.
  virtual uint8_t rdb_type(int rdb_version) const = 0;
  virtual void Save(ValueWriter& writer) const = 0;
};

// Reads the body of a built-in aggregate value (RDB types 1-4, 9-21) whose type byte has
// been read. Small encodings that exceed `limits` are converted on the way. Errors: kCorrupt for
// bytes that contradict the format, kUnsupported for a type byte that is none of these.
Result<std::unique_ptr<Value>> LoadBuiltinValue(uint8_t rdb_type, ValueReader& reader,
                                                const EncodingLimits& limits);

}  // namespace backplane
