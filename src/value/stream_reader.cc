// SPDX-License-Identifier: BSD-3-Clause
// StreamReader; contract in stream_log.h.
#include "value/stream_log.h"
#include "value/stream_node.h"

namespace backplane {

StreamReader::StreamReader(const StreamLog& log, StreamId first, StreamId last, bool reverse)
    : log_(log), first_(first), last_(last), reverse_(reverse) {
  reverse ? SeekBackward(last) : SeekForward(first);
}

StreamReader::StreamReader(const StreamLog& log, const StreamLog::Bookmark& from, StreamId first,
                           StreamId last)
    : log_(log), first_(first), last_(last), reverse_(false) {
  if (from.entry == Listpack::kNone || from.version != log.version()) {
    SeekForward(first);
    return;
  }
  version_ = from.version;
  node_ = from.node;
  EnterNode();
  entry_ = from.entry;
  ReadEntry();
}

void StreamReader::SeekForward(StreamId from) {
  version_ = log_.version_;
  node_ = log_.nodes_.UpperBound(from);
  // The id may stand within the node in front, too.
  if (!log_.nodes_.empty() && node_ != log_.nodes_.Begin()) {
    if (log_.nodes_.Valid(node_)) {
      log_.nodes_.Back(&node_);
    } else {
      node_ = log_.nodes_.Last();
    }
  }
  at_end_ = !log_.nodes_.Valid(node_);
  if (!at_end_) EnterNode();
}

void StreamReader::SeekBackward(StreamId from) {
  version_ = log_.version_;
  at_end_ = log_.nodes_.empty();
  if (at_end_) return;
  node_ = log_.nodes_.UpperBound(from);
  if (!log_.nodes_.Valid(node_)) {
    node_ = log_.nodes_.Last();
  } else {
    at_end_ = !log_.nodes_.Back(&node_);
  }
  if (!at_end_) EnterNode();
}

void StreamReader::EnterNode() {
  head_ = StreamLog::ReadHead(pack());
  entry_ = Listpack::kNone;
  at_ = Listpack::kNone;
  fields_left_ = 0;
}

bool StreamReader::StepForward() {
  if (entry_ == Listpack::kNone) {
    entry_ = StreamLog::FirstEntry(pack(), head_);
  } else {
    const Listpack& node = pack();
    const uint64_t left = names_ != Listpack::kNone ? fields_left_ : fields_left_ * 2;
    for (uint64_t i = 0; i < left; ++i) at_ = node.Next(at_);
    entry_ = node.Next(at_);
  }
  while (entry_ == Listpack::kNone) {
    node_ = log_.nodes_.Next(node_);
    if (!log_.nodes_.Valid(node_)) return false;
    EnterNode();
    entry_ = StreamLog::FirstEntry(pack(), head_);
  }
  return true;
}

bool StreamReader::StepBackward() {
  entry_ = stream_node::EntryBefore(pack(), entry_);
  while (entry_ == Listpack::kNone) {
    if (!log_.nodes_.Back(&node_)) return false;
    EnterNode();
    entry_ = stream_node::EntryBefore(pack(), Listpack::kNone);
  }
  return true;
}

bool StreamReader::ReadEntry() {
  const stream_node::EntryHead entry =
      stream_node::ReadEntry(pack(), entry_, log_.nodes_.At(node_).id);
  id_ = entry.id;
  at_ = entry.body;
  const bool same = (entry.flags & stream_node::kSameFields) != 0;
  // A node without fields has only entries without any: the terminator is as good a name.
  names_ = same ? head_.fields : Listpack::kNone;
  fields_left_ = same ? head_.field_count : entry.own_fields;
  return (entry.flags & stream_node::kDeleted) == 0;
}

bool StreamReader::Next() {
  if (version_ != log_.version_) {
    // Behind the last one given out, or from the beginning.
    const StreamId was = id_;
    if (entered_) {
      const auto rest = reverse_ ? was.Previous() : was.Next();
      at_end_ = !rest;
      if (rest) (reverse_ ? last_ : first_) = *rest;
    }
    if (!at_end_) reverse_ ? SeekBackward(last_) : SeekForward(first_);
  }
  while (!at_end_) {
    if (!(reverse_ ? StepBackward() : StepForward())) break;
    const bool live = ReadEntry();
    if (reverse_ ? id_ < first_ : id_ > last_) break;
    if (live && id_ >= first_ && id_ <= last_) {
      entered_ = true;
      return true;
    }
  }
  at_end_ = true;
  fields_left_ = 0;
  return false;
}

bool StreamReader::NextField(Item* field, Item* value) {
  if (fields_left_ == 0) return false;
  --fields_left_;
  const Listpack& node = pack();
  if (names_ != Listpack::kNone) {
    *field = node.Get(names_);
    names_ = node.Next(names_);
  } else {
    *field = node.Get(at_);
    at_ = node.Next(at_);
  }
  *value = node.Get(at_);
  at_ = node.Next(at_);
  return true;
}

}  // namespace backplane
