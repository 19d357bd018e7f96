//! What is written is read back; what was not written is not.

use super::*;

/// Something of everything that is packed.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Sample {
    byte: u8,
    pair: u16,
    word: u32,
    long: u64,
    fixed: [u8; 3],
    boxed: Box<u16>,
    maybe: Option<Action>,
    list: Vec<Option<GrantId>>,
    choice: Choice,
    selector: Selector,
    shard: Shard,
    at: UnixSeconds,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Choice {
    Bare,
    One(u8),
    Two { first: u16, second: Option<u8> },
}

fields!(Sample { byte, pair, word, long, fixed, boxed, maybe, list, choice, selector, shard, at });
choices!(Choice { 1_u8 = Bare, 2_u8 = One(byte), 9_u8 = Two { first, second } });

/// xorshift64*: the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.next() >> 56).unwrap()
    }

    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        std::array::from_fn(|_| self.byte())
    }

    fn name(&mut self) -> String {
        (0..=self.byte() % 40).map(|_| char::from(b'!' + self.byte() % 94)).collect()
    }

    fn selector(&mut self) -> Selector {
        match self.byte() % 8 {
            0 => Selector::Grant(GrantId::from_bytes(self.bytes())),
            1 => Selector::Agent(Agent::parse(&self.name()).unwrap()),
            2 => Selector::Workflow(Workflow::parse(&self.name()).unwrap()),
            3 => Selector::Audience(Audience::parse(&self.name()).unwrap()),
            4 => Selector::Action(Action::parse(&self.name()).unwrap()),
            5 => Selector::Policy(PolicyHash::from_bytes(self.bytes())),
            6 => Selector::Key(u32::from_be_bytes(self.bytes())),
            _ => Selector::All,
        }
    }

    fn sample(&mut self) -> Sample {
        let choice = match self.byte() % 3 {
            0 => Choice::Bare,
            1 => Choice::One(self.byte()),
            _ => Choice::Two { first: 7, second: (self.byte() < 128).then_some(3) },
        };
        let some = |random: &mut Random| {
            (random.byte() < 128).then(|| GrantId::from_bytes(random.bytes()))
        };
        Sample {
            byte: self.byte(),
            pair: u16::from_be_bytes(self.bytes()),
            word: u32::from_be_bytes(self.bytes()),
            long: self.next(),
            fixed: self.bytes(),
            boxed: Box::new(u16::from_be_bytes(self.bytes())),
            maybe: (self.byte() < 128).then(|| Action::parse(&self.name()).unwrap()),
            list: (0..self.byte() % 9).map(|_| some(self)).collect(),
            choice,
            selector: self.selector(),
            shard: Shard::parse(&format!("{:02x}", self.byte())).unwrap(),
            at: UnixSeconds(self.next() >> 20),
        }
    }
}

#[test]
fn what_is_written_is_read_back_and_nothing_less_or_more_is() {
    let mut random = Random(0x7061_636b_6564_2121);
    for _ in 0..2_000 {
        let sample = random.sample();
        let bytes = write(&sample).unwrap();
        assert_eq!(read::<Sample>(&bytes), Ok(sample));
        let cut = usize::from(random.byte()) % bytes.len();
        assert_eq!(read::<Sample>(&bytes[..cut]).err(), Some(PackedError::Short));
        let longer = [bytes.as_slice(), &[random.byte()]].concat();
        assert_eq!(read::<Sample>(&longer).err(), Some(PackedError::Trailing));
    }
}

#[test]
fn whatever_is_read_has_one_spelling_and_no_bytes_make_the_reader_panic() {
    let mut random = Random(0x6f6e_6520_7761_7921);
    let mut accepted = 0;
    for _ in 0..50_000 {
        let mut bytes = write(&random.sample()).unwrap();
        let place = usize::from(random.byte()) % bytes.len();
        bytes[place] = random.byte();
        if let Ok(sample) = read::<Sample>(&bytes) {
            assert_eq!(write(&sample).unwrap(), bytes);
            accepted += 1;
        }
        let noise: [u8; 64] = random.bytes();
        if let Ok(sample) = read::<Sample>(&noise) {
            assert_eq!(write(&sample).unwrap(), noise);
        }
    }
    // Most bytes of a value are numbers and names, of which another is as good.
    assert!(accepted > 10_000, "{accepted}");
}

#[test]
fn integers_are_big_endian_and_lengths_stand_before() {
    let bytes = write(&Action::parse("ab").unwrap()).unwrap();
    assert_eq!(bytes, [0, 0, 0, 2, b'a', b'b']);
    assert_eq!(write(&0x0102_0304_u32).unwrap(), [1, 2, 3, 4]);
    assert_eq!(write(&vec![1_u16, 2]).unwrap(), [0, 2, 0, 1, 0, 2]);
}

#[test]
fn what_a_value_cannot_be_is_not_read() {
    assert_eq!(read::<Option<u8>>(&[2, 0]), Err(PackedError::Value));
    assert_eq!(read::<Choice>(&[3, 0]), Err(PackedError::Value));
    assert_eq!(read::<Action>(&[0, 0, 0, 0]), Err(PackedError::Value));
    assert_eq!(read::<Action>(&[0, 0, 0, 1, b' ']), Err(PackedError::Value));
    assert_eq!(read::<Action>(&[0, 0, 0, 1, 0xff]), Err(PackedError::Value));
    assert_eq!(read::<Shard>(&[0, 0, 0, 2, b'F', b'F']), Err(PackedError::Value));
}

#[test]
fn a_length_beyond_the_end_takes_no_memory() {
    assert_eq!(read::<Action>(&[0xff, 0xff, 0xff, 0xff, b'a']), Err(PackedError::Short));
    assert_eq!(read::<Vec<u64>>(&[0xff, 0xff, 0, 0]), Err(PackedError::Short));
}

#[test]
fn a_payload_has_a_limit_both_ways() {
    let most = limits::PACKED_BYTES_MAX;
    let mut writer = Writer::default();
    writer.raw(&vec![0; most]);
    assert_eq!(writer.finish().unwrap().len(), most);
    let mut writer = Writer::default();
    writer.raw(&vec![0; most]);
    writer.raw(&[0]);
    // What follows fits again, and does not make it whole.
    writer.raw(&[]);
    assert_eq!(writer.finish(), Err(PackedError::TooLong));
    assert_eq!(write(&vec![0_u8; 65_536]), Err(PackedError::TooLong));
    assert_eq!(write(&vec![0_u8; 65_535]).unwrap().len(), 65_537);
    assert!(Reader::over(&vec![0; most]).is_ok());
    assert_eq!(Reader::over(&vec![0; most + 1]).err(), Some(PackedError::TooLong));
}
