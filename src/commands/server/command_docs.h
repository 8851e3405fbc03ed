// SPDX-License-Identifier: BSD-3-Clause
// COMMAND DOCS: the reply of one command. Used by COMMAND only. Engine thread.
#pragma once

namespace backplane {

class Command;
class ReplySink;

// The full name and the map of what there is to say, as two entries of an open map.
void ReplyCommandDocs(ReplySink& reply, const Command& command);

}  // namespace backplane
