//! A function library that keeps a number in the server's memory, and none in its data.

use farebox_lab::Redis;

const LIBRARY: &str = "#!lua name=lab_memory
local count = 0
redis.register_function('lab_add', function()
    count = count + 1
    return count
end)
redis.register_function{function_name = 'lab_count', flags = {'no-writes'}, callback = function()
    return count
end}
redis.register_function{function_name = 'lab_time', flags = {'no-writes'}, callback = function()
    return redis.call('TIME')[1]
end}
";

/// Loads the library, with the number one in its memory.
pub(crate) fn remember(redis: &Redis) {
    redis.command(&["FUNCTION", "LOAD", LIBRARY]);
    redis.command(&["FCALL", "lab_add", "0"]);
}

/// The number, which is zero again where the memory is another one.
pub(crate) fn remembered(redis: &Redis) -> i64 {
    redis.command(&["FCALL_RO", "lab_count", "0"]).integer().unwrap()
}

/// What a function believes is the time, in seconds.
pub(crate) fn time_inside(redis: &Redis) -> i64 {
    redis.command(&["FCALL_RO", "lab_time", "0"]).integer().unwrap()
}
