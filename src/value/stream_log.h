// SPDX-License-Identifier: BSD-3-Clause
// StreamLog: the entries of a stream, oldest first, many in one listpack. What RDB files and DUMP
// payloads hold are these listpacks, so their content is a public format:
//
//   node    = live deleted field-count field* 0 entry*      all elements of one listpack
//             live, deleted: how many entries are (not) flagged as deleted
//             field*: the names of the first entry's fields
//   entry   = flags ms-diff seq-diff [ field-count (field value)* | value* ] back
//             flags: 1 deleted; 2 has the node's fields, so that only values stand here
//             diffs: to the node's id, which is that of its first entry; modulo 2^64
//             back: how many elements the entry has in front of it: the way backwards
//
// A deleted entry stays in its node, flagged, until no entry of the node is live.
//
// Engine thread, or the one thread that owns the value.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "value/id_index.h"
#include "value/listpack.h"
#include "value/stream_id.h"

namespace backplane {

// When an append starts a new node; 0: no limit.
struct StreamNodeLimits {
  size_t max_bytes = 4096;
  uint64_t max_entries = 100;
};

// How a stream is cut at its old end.
struct StreamTrim {
  enum class By : uint8_t { kNothing, kLength, kMinId };
  By by = By::kNothing;
  bool approximate = false;  // whole nodes only
  uint64_t max_length = 0;
  StreamId min_id;
  uint64_t limit = 0;  // entries at most; 0: all
};

class StreamLog {
 public:
  // Where a reader has been, to go on from there; of use until the log's version changes.
  struct Bookmark {
    uint64_t version = 0;
    IdIndex<Listpack>::Position node;
    Listpack::Position entry = Listpack::kNone;
  };

  StreamLog() = default;
  StreamLog(StreamLog&&) = default;
  StreamLog& operator=(StreamLog&&) = default;
  StreamLog Clone() const;

  uint64_t length() const { return length_; }
  uint64_t node_count() const { return nodes_.size(); }
  // Changes when places within nodes may have moved or nodes are gone.
  uint64_t version() const { return version_; }
  // The nodes of the radix tree that other servers keep the listpacks in; tools show the number.
  // Linear in node_count().
  uint64_t RadixNodeCount() const;

  // `words`: field, value, field, value ... REQUIRES: `id` above every id that is or was here.
  void Append(StreamId id, std::span<const std::string_view> words, const StreamNodeLimits& limits);
  bool Erase(StreamId id);
  // Returns how many entries went.
  uint64_t Trim(const StreamTrim& trim);

  // The first (last) entry that is live; false if there is none.
  bool FirstId(StreamId* id) const;
  bool LastId(StreamId* id) const;

  // Loading: takes a node as it stands in a file; false if it is none, or is not behind the last.
  bool AppendNode(StreamId id, std::string_view bytes);
  template <class F>
  void ForEachNode(F&& f) const {
    for (auto p = nodes_.Begin(); nodes_.Valid(p); p = nodes_.Next(p)) {
      f(nodes_.At(p).id, nodes_.At(p).value.Raw());
    }
  }

  // Bytes held; with samples > 0 that many nodes are measured and extrapolated.
  size_t MemoryBytes(size_t samples) const;

 private:
  friend class StreamReader;

  // Elements in front of the first field of a node.
  struct NodeHead {
    uint64_t live;
    uint64_t deleted;
    uint64_t field_count;
    Listpack::Position fields;  // the first, or the terminator
  };
  static NodeHead ReadHead(const Listpack& node);
  // The first entry of the node.
  static Listpack::Position FirstEntry(const Listpack& node, const NodeHead& head);
  // Adds to the node's two counts.
  void ChangeCounts(Listpack& node, int64_t live, int64_t deleted);
  bool NodeIsFull(const Listpack& node, size_t added, const StreamNodeLimits& limits) const;
  // Flags entries from the node's first on as deleted, until `trim` is satisfied.
  uint64_t TrimWithin(IdIndex<Listpack>::Slot& slot, const StreamTrim& trim);

  IdIndex<Listpack> nodes_;
  uint64_t length_ = 0;
  uint64_t version_ = 0;
};

// Walks the live entries from `first` to `last`, both included, or back from `last` to `first`. The
// log may change meanwhile: the reader goes on behind the entry where it was. Items that it handed
// out are good until then.
class StreamReader {
 public:
  StreamReader(const StreamLog& log, StreamId first, StreamId last, bool reverse = false);
  // Forward, from behind `from` where that is still good, else from `first`. REQUIRES: the bookmark
  // was taken at an entry below `first`, and none between is live.
  StreamReader(const StreamLog& log, const StreamLog::Bookmark& from, StreamId first,
               StreamId last);

  // Goes to the next entry; false at the end.
  bool Next();
  StreamId id() const { return id_; }
  // Fields that NextField has not given yet.
  uint64_t fields_left() const { return fields_left_; }
  bool NextField(Item* field, Item* value);
  StreamLog::Bookmark bookmark() const { return {version_, node_, entry_}; }

 private:
  friend class StreamLog;
  const Listpack& pack() const { return log_.nodes_.At(node_).value; }
  void SeekForward(StreamId from);
  void SeekBackward(StreamId from);
  void EnterNode();
  // Makes entry_ the place of the next entry; false at the end of the log.
  bool StepForward();
  bool StepBackward();
  // Reads the entry at entry_; false if it is flagged as deleted.
  bool ReadEntry();

  const StreamLog& log_;
  StreamId first_;
  StreamId last_;
  bool reverse_;
  bool at_end_ = false;
  uint64_t version_ = 0;
  IdIndex<Listpack>::Position node_;
  StreamLog::NodeHead head_{};
  Listpack::Position entry_ = Listpack::kNone;  // kNone: before the first of the node
  Listpack::Position at_ = Listpack::kNone;     // what NextField reads
  Listpack::Position names_ = Listpack::kNone;  // the node's names; kNone: the entry has its own
  uint64_t fields_left_ = 0;
  StreamId id_;
  bool entered_ = false;  // id_ is that of an entry given out
};

}  // namespace backplane
