"""The small world the model knows: one table for each kind of question."""

DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
MONTH_SEASON = ["winter", "winter", "spring", "spring", "spring", "summer", "summer", "summer", "autumn", "autumn", "autumn", "winter"]
NUMBERS = """Zero One Two Three Four Five Six Seven Eight Nine Ten Eleven Twelve Thirteen Fourteen Fifteen Sixteen Seventeen Eighteen Nineteen
Twenty""".split()
NUMBERS += [f"Twenty-{n.lower()}" for n in NUMBERS[1:10]] + ["Thirty"] + [f"Thirty-{n.lower()}" for n in NUMBERS[1:10]] + ["Forty"]
NUMBERS += [f"Forty-{n.lower()}" for n in NUMBERS[1:10]]


def pairs(text):
    return dict(item.strip().split(":") for item in text.replace("\n", "").split("|"))


COLOUR_OF = pairs("""the sky:blue|grass:green|the sun:yellow|snow:white|a banana:yellow|blood:red|coal:black|an orange:orange|a lemon:yellow|milk:white|
a carrot:orange|a tomato:red|a strawberry:red|the night sky:black|a frog:green|an elephant:grey|a crow:black|a flamingo:pink|chocolate:brown|a fire engine:red|
the sea:blue|a leaf:green|a plum:purple|a cherry:red|gold:yellow|silver:grey|a pumpkin:orange|a cucumber:green|salt:white|a polar bear:white|a lime:green|
a blueberry:blue|an eggplant:purple|a pig:pink|a fox:orange|a swan:white|a school bus:yellow|a rose:often red|corn:yellow|peas:green|honey:golden|wood:brown|
a raven:black|a daffodil:yellow|lavender:purple|rice:white|soil:brown|spinach:green|a ladybug:red with black spots|a zebra:black and white|a panda:black and white|
a penguin:black and white|cheese:yellow|butter:yellow|a cloud:white|a ruby:red|an emerald:green|the moon:white|a grape:purple or green|an apple:red or green""")

_OPPOSITES = pairs("""hot:cold|big:small|up:down|in:out|day:night|happy:sad|fast:slow|old:young|open:closed|left:right|black:white|good:bad|high:low|hard:soft|wet:dry|
full:empty|light:dark|loud:quiet|near:far|rich:poor|strong:weak|tall:short|thick:thin|true:false|early:late|first:last|front:back|top:bottom|push:pull|win:lose|
yes:no|clean:dirty|heavy:light|wide:narrow|deep:shallow|rough:smooth|sweet:sour|sharp:blunt|new:old|long:short|on:off|begin:end|start:stop|love:hate|laugh:cry|
buy:sell|give:take|come:go|warm:cool|awake:asleep|alive:dead|brave:afraid|kind:cruel|polite:rude|safe:dangerous|easy:difficult|cheap:expensive|inside:outside|
above:below|before:after|always:never|friend:enemy|summer:winter|north:south|east:west|boy:girl|man:woman|king:queen|brother:sister|mother:father|question:answer|
hello:goodbye|remember:forget|lost:found|same:different|more:less|many:few|over:under|raise:lower|arrive:leave|build:destroy|morning:evening|sunrise:sunset|war:peace|
tight:loose|straight:crooked|beautiful:ugly|busy:idle|careful:careless|right:wrong|noisy:silent|fresh:stale|tame:wild|float:sink|freeze:melt""")
OPPOSITES = {**{v: k for k, v in _OPPOSITES.items()}, **_OPPOSITES}

SOUNDS = pairs("""cow:moo|dog:woof|cat:meow|duck:quack|sheep:baa|pig:oink|horse:neigh|lion:roar|frog:ribbit|bee:buzz|owl:hoot|snake:hiss|rooster:cock-a-doodle-doo|
hen:cluck|mouse:squeak|crow:caw|goat:maa|donkey:hee-haw|turkey:gobble|bird:tweet|wolf:howl|goose:honk|pigeon:coo|tiger:roar|bear:growl|kitten:mew|puppy:yap|chick:cheep|
elephant:toot|monkey:ooh ooh ah ah|lamb:baa|cricket:chirp|mosquito:buzz|parrot:squawk""")
LEGS = dict(dog=4, cat=4, spider=8, bird=2, ant=6, bee=6, horse=4, cow=4, fish=0, snake=0, chicken=2, duck=2, beetle=6, butterfly=6, elephant=4, frog=4, octopus=0, pig=4, sheep=4,
            lion=4, mouse=4, rabbit=4, fly=6, kangaroo=2, penguin=2, person=2, table=4, owl=2, crab=10, worm=0, goat=4, fox=4, bear=4, ladybug=6, turtle=4, giraffe=4)
BABIES = pairs("""dog:puppy|cat:kitten|cow:calf|horse:foal|sheep:lamb|pig:piglet|goat:kid|duck:duckling|hen:chick|bear:cub|lion:cub|frog:tadpole|goose:gosling|deer:fawn|
kangaroo:joey|swan:cygnet|fox:cub|elephant:calf|owl:owlet|rabbit:kit|tiger:cub|wolf:pup|seal:pup|whale:calf|butterfly:caterpillar""")
EATS = {k: tuple(v.split("=")) for k, v in pairs("""cow:cows=grass and hay|rabbit:rabbits=grass and vegetables|cat:cats=fish and meat|dog:dogs=meat and bones|mouse:mice=seeds and grain|
bear:bears=berries, fish and honey|monkey:monkeys=fruit and leaves|horse:horses=grass and hay|lion:lions=meat|panda:pandas=bamboo|koala:koalas=leaves|squirrel:squirrels=nuts and seeds|
bird:birds=seeds and worms|frog:frogs=flies and other insects|owl:owls=mice and other small animals|bee:bees=nectar and pollen|sheep:sheep=grass|pig:pigs=vegetables and grain|
elephant:elephants=grass, leaves and fruit|giraffe:giraffes=leaves|penguin:penguins=fish|goat:goats=grass and leaves|caterpillar:caterpillars=leaves|hen:hens=corn and seeds|
fox:foxes=mice, berries and eggs|duck:ducks=water plants and insects|wolf:wolves=meat|shark:sharks=fish|spider:spiders=flies""").items()}
HOMES = pairs("""fish:in water|bird:in a nest|bee:in a hive|rabbit:in a burrow|bear:in a cave|fox:in a den|spider:in a web|horse:in a stable|cow:in a barn|pig:in a pen|
lion:on the savanna|penguin:in Antarctica|camel:in the desert|whale:in the sea|frog:in a pond|owl:in a tree|squirrel:in a tree|mouse:in a hole|dog:in a kennel|hen:in a coop|
monkey:in the jungle|polar bear:in the Arctic|crab:on the beach|mole:in a tunnel|bat:in a cave|ant:in an anthill|shark:in the sea|beaver:in a lodge|kangaroo:in Australia|snail:in a shell""")
BIGGER = "ant bee mouse frog robin cat fox dog goat pig lion horse hippo elephant whale".split()

CATEGORIES = {k: v.split(", ") for k, v in pairs("""fruits:apple, banana, pear, plum, cherry, grape, orange, lemon, peach, mango, strawberry, melon|
vegetables:carrot, potato, onion, cabbage, pea, bean, turnip, cucumber, spinach, leek|colours:red, blue, green, yellow, purple, orange, pink, black, white, brown|
animals:dog, cat, lion, bear, fox, rabbit, horse, elephant, tiger, wolf, deer, monkey|birds:robin, owl, crow, duck, eagle, parrot, swan, sparrow, penguin|
farm animals:cow, pig, sheep, goat, hen, horse, donkey, goose|insects:ant, bee, fly, beetle, butterfly, moth, cricket, ladybug|
foods:bread, cheese, soup, rice, cake, egg, pie, pancake|shapes:circle, square, triangle, star, rectangle, oval|things in a kitchen:spoon, fork, knife, pot, pan, cup, plate, oven|
clothes:hat, coat, shirt, scarf, sock, shoe, dress, glove|toys:ball, doll, kite, top, puzzle, teddy bear, drum|flowers:rose, tulip, daisy, lily, sunflower, violet, poppy|
trees:oak, pine, willow, birch, elm, maple, palm|tools:hammer, saw, drill, rake, shovel, axe|countries:France, Spain, Italy, Japan, China, India, Brazil, Canada, Egypt, Kenya|
things that fly:bird, bee, plane, kite, butterfly, bat, balloon|sports:football, tennis, swimming, running, skating, chess, rowing|feelings:happy, sad, angry, afraid, proud, shy, calm|
instruments:drum, flute, piano, guitar, violin, trumpet, harp""").items()}

RHYMES = [group.split() for group in """cat hat mat bat rat sat|dog log fog frog|tree bee sea key free|moon spoon soon noon|star car far jar|cake lake snake make|house mouse|light night bright kite|
ring sing king wing spring|boat coat goat float|sun fun run bun|book look cook hook|ball tall wall fall small|red bed head bread|rain train plane lane|day play say way may|
bear chair hair pear|fish dish wish|sock clock rock lock|hen pen ten men|pig big wig dig|snow blow grow know|tail snail sail whale|bell shell well tell|nose rose toes|
cold gold old fold|hill will bill fill|ship trip lip hip|nest best rest west|bug rug hug mug|fox box socks|flower tower hour shower|mice nice ice rice|green queen bean seen""".replace("\n", "").split("|")]
SPELL = """cat dog sun moon star fish bird tree book house apple water bread chair table green happy river mouse horse train cloud snow rain fox bear duck frog flower garden
school friend window yellow orange purple night light ball king queen ship milk""".split()


def facts(text):
    """Lines of "question ~ other way to ask | full answer | short answer"."""
    out = []
    for line in text.strip().splitlines():
        ask, full, short = (part.strip() for part in line.split("|"))
        out += [(q.strip(), full, short) for q in ask.split("~")]
    return out


WHAT_IS = facts("""
What is the sun? | The sun is a star. It gives us light and warmth. | Star
What is the moon? ~ What is the moon made of? | The moon is a big ball of rock that goes around the Earth. | Rock
What is rain? | Rain is water that falls from the clouds. | Water
What is snow? | Snow is frozen water that falls from the sky. | Ice
What is ice? | Ice is frozen water. | Water
What is a cloud? | A cloud is made of many tiny drops of water. | Water
What is a rainbow? | A rainbow is a band of colours in the sky after the rain. | Colours
What is a river? | A river is a long stream of water that flows to the sea. | Water
What is a mountain? | A mountain is a very high hill. | Hill
What is an island? | An island is land with water all around it. | Land
What is the sea? | The sea is a very large body of salt water. | Water
What is a desert? | A desert is a very dry place with little rain. | Place
What is a forest? | A forest is a place with many trees. | Trees
What is honey? ~ Who makes honey? | Honey is a sweet food that bees make. | Bees
What is a computer? | A computer is a machine that can work with numbers and words. | Machine
What is a browser? | A browser is a program that shows web pages. | Program
What is a language model? ~ What does a language model do? | A language model is a program that has learned to write words, one after another. | Program
What is a friend? | A friend is someone you like and who likes you. | Person
What is love? | Love is a strong, warm feeling for someone. | Feeling
What is a story? | A story tells about people or animals and what happened to them. | Tale
What is a dream? | A dream is a story that your mind makes while you sleep. | Story
What is a triangle? ~ How many sides does a triangle have? | A triangle is a shape with three sides. | Three
How many sides does a square have? ~ What is a square? | A square is a shape with four equal sides. | Four
What is a circle? | A circle is a round shape. | Round
Is the Earth round? ~ What shape is the Earth? | Yes, the Earth is round like a ball. | Yes
Is the sun hot? ~ Is fire hot? | Yes, it is very hot. | Yes
Is ice hot? | No, ice is cold. | No
Is snow cold? ~ Is ice cold? | Yes, it is cold. | Yes
Is the sea salty? | Yes, the water of the sea is salty. | Yes
Can birds fly? | Yes, most birds can fly. | Yes
Can fish fly? ~ Can dogs fly? ~ Can pigs fly? | No, they can't fly. | No
Can fish swim? ~ Can ducks swim? ~ Can frogs swim? | Yes, they can swim. | Yes
Can a penguin fly? ~ Can penguins fly? | No, penguins can't fly, but they swim very well. | No
Do cats like milk? | Yes, many cats like milk. | Yes
Do fish live in trees? | No, fish live in water. | No
Is a whale a fish? | No, a whale is not a fish. It is a mammal. | No
Is a bat a bird? | No, a bat is not a bird. It is a mammal. | No
Is a spider an insect? | No, a spider is not an insect. It has eight legs. | No
How many wheels does a bicycle have? ~ How many wheels does a bike have? | A bicycle has two wheels. | Two
How many wheels does a car have? | A car has four wheels. | Four
How many fingers do you have on one hand? ~ How many fingers are on a hand? | A hand has five fingers. | Five
How many hours are in a day? ~ How many hours does a day have? | A day has twenty-four hours. | Twenty-four
How many minutes are in an hour? | An hour has sixty minutes. | Sixty
How many seconds are in a minute? | A minute has sixty seconds. | Sixty
How many days are in a year? | A year has three hundred and sixty-five days. | 365
How many seasons are there? ~ What are the seasons? ~ Name the seasons. | There are four seasons: spring, summer, autumn and winter. | Four
How many eyes do you have? ~ How many eyes does a person have? | A person has two eyes. | Two
How many letters are in the alphabet? | The alphabet has twenty-six letters. | Twenty-six
How many colours are in a rainbow? ~ What are the colours of the rainbow? | The rainbow has seven colours: red, orange, yellow, green, blue, indigo and violet. | Seven
When is Christmas? | Christmas is on the twenty-fifth of December. | December
What is the first month of the year? ~ Which month is first? | January is the first month of the year. | January
What is the last month of the year? | December is the last month of the year. | December
What is the first day of the week? | Monday is the first day of the week. | Monday
Which month is the shortest? ~ What is the shortest month? | February is the shortest month. | February
Which season is the coldest? ~ What is the coldest season? | Winter is the coldest season. | Winter
Which season is the hottest? ~ What is the warmest season? | Summer is the warmest season. | Summer
What comes after spring? | Summer comes after spring. | Summer
What comes after summer? | Autumn comes after summer. | Autumn
What comes after autumn? | Winter comes after autumn. | Winter
What comes after winter? | Spring comes after winter. | Spring
What do we call frozen water? | Frozen water is called ice. | Ice
What gives us milk? ~ Which animal gives milk? | A cow gives us milk. | Cow
Which animal gives us wool? ~ Where does wool come from? | Wool comes from sheep. | Sheep
Which animal gives us eggs? ~ Where do eggs come from? | Eggs come from hens. | Hen
What is the king of the animals? ~ Which animal is the king of the jungle? | The lion is called the king of the animals. | Lion
What is the biggest animal? ~ Which animal is the biggest? | The blue whale is the biggest animal. | Whale
What is the tallest animal? ~ Which animal is the tallest? | The giraffe is the tallest animal. | Giraffe
What is the fastest animal? ~ Which land animal is the fastest? | The cheetah is the fastest animal on land. | Cheetah
Which animal has a trunk? ~ What animal has a long trunk? | The elephant has a long trunk. | Elephant
Which animal has a long neck? | The giraffe has a long neck. | Giraffe
Which animal has a shell? | A turtle has a shell. | Turtle
Which animal hops? ~ Which animal carries its baby in a pouch? | A kangaroo does. | Kangaroo
What planet do we live on? ~ What is our planet called? | We live on the planet Earth. | Earth
What is the capital of France? | The capital of France is Paris. | Paris
What is the capital of England? | The capital of England is London. | London
What is the capital of Italy? | The capital of Italy is Rome. | Rome
What is the capital of Spain? | The capital of Spain is Madrid. | Madrid
What is the capital of Germany? | The capital of Germany is Berlin. | Berlin
What is the capital of Japan? | The capital of Japan is Tokyo. | Tokyo
What is the capital of Egypt? | The capital of Egypt is Cairo. | Cairo
What is the capital of China? | The capital of China is Beijing. | Beijing
What is the capital of Russia? | The capital of Russia is Moscow. | Moscow
What is the capital of Norway? | The capital of Norway is Oslo. | Oslo
Where does the sun rise? | The sun rises in the east. | East
Where does the sun set? | The sun sets in the west. | West
When does the sun rise? | The sun rises in the morning. | Morning
When do we see the stars? ~ When can you see the stars? | We can see the stars at night. | Night
When do leaves fall? | Leaves fall in autumn. | Autumn
When does it snow? ~ When do we make snowmen? | It snows in winter. | Winter
What do you do with a book? | You read a book. | Read
What is two times two? ~ What is 2 times 2? | Two times two is four. | Four
What is half of ten? ~ What is half of 10? | Half of ten is five. | Five
""")
USES = facts("""
What is a spoon for? ~ What do you do with a spoon? | You eat soup with a spoon. | Eating
What is a pen for? ~ What do you do with a pen? | You write with a pen. | Writing
What is an umbrella for? ~ When do you use an umbrella? | An umbrella keeps you dry in the rain. | Rain
What is a bed for? | A bed is for sleeping. | Sleeping
What is a chair for? | A chair is for sitting. | Sitting
What is a lamp for? | A lamp gives light. | Light
What is a clock for? ~ What does a clock show? | A clock shows the time. | Time
What is a key for? | A key opens a lock. | Opening
What is a hammer for? | A hammer is for hitting nails. | Nails
What is soap for? | Soap is for washing. | Washing
What is a boat for? | A boat carries people over the water. | Sailing
What is a coat for? ~ Why do we wear coats? | A coat keeps you warm. | Warmth
What are eyes for? ~ What do we see with? | We see with our eyes. | Eyes
What are ears for? ~ What do we hear with? | We hear with our ears. | Ears
What do we smell with? | We smell with our nose. | Nose
What do we walk with? | We walk with our legs and feet. | Legs
What do you cut bread with? | You cut bread with a knife. | Knife
What do you drink when you are thirsty? | You can drink water when you are thirsty. | Water
Where do you sleep? ~ Where do people sleep? | People sleep in a bed. | Bed
Where do you buy bread? | You can buy bread at a bakery. | Bakery
Where do you borrow books? ~ Where can I find books? | You can borrow books at a library. | Library
""")
MADE_OF = facts("""
What is bread made of? | Bread is made of flour, water and salt. | Flour
What is cheese made of? ~ What is butter made from? | It is made from milk. | Milk
What is a window made of? | A window is made of glass. | Glass
What is paper made of? | Paper is made from wood. | Wood
What is a snowman made of? | A snowman is made of snow. | Snow
What is juice made from? | Juice is made from fruit. | Fruit
What is wine made from? ~ What are raisins made from? | It is made from grapes. | Grapes
What is a nail made of? | A nail is made of metal. | Metal
What is an omelette made of? | An omelette is made of eggs. | Eggs
What is chocolate made from? | Chocolate is made from cocoa beans. | Cocoa
What is a beach made of? ~ What is a sand castle made of? | It is made of sand. | Sand
""")
WHO = facts("""
Who bakes bread? | A baker bakes bread. | Baker
Who works on a farm? | A farmer works on a farm. | Farmer
Who puts out fires? | A firefighter puts out fires. | Firefighter
Who helps sick people? | A doctor helps sick people. | Doctor
Who teaches children? | A teacher teaches children. | Teacher
Who brings the letters? | The postman brings the letters. | Postman
Who catches fish? | A fisherman catches fish. | Fisherman
Who flies a plane? | A pilot flies a plane. | Pilot
Who sails a ship? | A sailor sails a ship. | Sailor
Who makes clothes? | A tailor makes clothes. | Tailor
Who takes care of teeth? | A dentist takes care of teeth. | Dentist
Who writes books? | A writer writes books. | Writer
Who paints pictures? | A painter paints pictures. | Painter
Who wears a crown? | A king or a queen wears a crown. | King
Who cooks in a restaurant? | A cook works in a restaurant. | Cook
Who lives in a castle? | A king or a queen lives in a castle. | King
""")
ASSOCIATED = facts("""
Why is the sky blue? | The air scatters blue light from the sun more than other light. | Light
Why do we sleep? ~ Why do people sleep? | We sleep so that our body and mind can rest. | Rest
Why do we eat? | We eat because our body needs food to live and grow. | Energy
Why do birds sing? | Birds sing to talk to each other. | Talking
Why do leaves fall? | Leaves fall because the tree rests in winter. | Winter
Why does it rain? | It rains when the drops in the clouds get too heavy. | Clouds
Why do we drink water? | Our body needs water to live. | Thirst
Why is it dark at night? | It is dark at night because the sun is on the other side of the Earth. | Sun
How do fish breathe? | Fish breathe with gills. | Gills
How do birds fly? | Birds fly with their wings. | Wings
How do plants grow? ~ What do plants need? | Plants need water, sun and soil to grow. | Water
How do you make tea? | Boil some water, pour it over the tea leaves, and wait a few minutes. | Water
How do you make a sandwich? | Take two slices of bread and put something tasty between them. | Bread
How do you make friends? ~ How can I make a friend? | Say hello, smile, and be kind. | Kindness
How can I sleep better? ~ What can I do when I can't sleep? | Try to lie still, breathe slowly, and think of nice things. | Rest
What should I do when I make a mistake? | Say sorry, and try again. | Apologise
What should I eat for breakfast? ~ What can I have for breakfast? | You could have bread with jam, eggs, or porridge. | Porridge
What should I do today? ~ What can I do today? | You could read a book, go for a walk, or call a friend. | Walk
What should I wear when it is cold? | You should wear a warm coat, a scarf and a hat. | Coat
What should I name my cat? ~ What is a good name for a cat? | You could call your cat Whisker. | Whisker
What should I name my dog? ~ What is a good name for a dog? | You could call your dog Biscuit. | Biscuit
What can I draw? ~ What should I draw? | You could draw a house with a big tree and a smiling sun. | House
What is a good game to play? ~ What can we play? | You could play hide and seek. | Tag
What is better, a cat or a dog? ~ Which is better, cats or dogs? | Both are good. Cats are quiet, and dogs love to play. | Both
""")

JOKES = [tuple(j.split("|")) for j in """Why did the cow cross the road?|To get to the udder side!
What do you call a bear with no teeth?|A gummy bear!
Why did the banana go to the doctor?|It was not peeling well!
What do you call a sleeping dinosaur?|A dino-snore!
Why do bees have sticky hair?|They use honeycombs!
What is orange and sounds like a parrot?|A carrot!
Why did the teddy bear say no to cake?|It was already stuffed!
What do you get when you cross a snowman and a dog?|Frostbite!
Why was six afraid of seven?|Because seven eight nine!
What has hands but can't clap?|A clock!
What kind of tree fits in your hand?|A palm tree!
What do you call a fish with no eyes?|A fsh!
What has ears but can't hear?|A field of corn!
Why can't your nose be twelve inches long?|Because then it would be a foot!""".splitlines()]

UNKNOWN = """What is the weather today?|What is the weather like?|Who is the president?|What time is it?|What day is it today?|What is the date?|Who won the game?|What is in the news?|
How do I fix my car?|Can you write a program?|Write some Python code.|Explain quantum physics.|What is calculus?|Who wrote Hamlet?|What is the meaning of life?|How far is the moon?|
What is the population of Japan?|Translate this to French.|What is 123 times 456?|What is 999 + 888?|Who invented the telephone?|What stocks should I buy?|Solve x squared plus three equals seven.|
What is the best phone?|How tall is the tallest building?|Who was Napoleon?|What is photosynthesis?|How does a rocket work?|What happened in 1914?|What is a black hole?|
Can you book a flight?|What is the square root of 7?|What is DNA?|How much does a house cost?|What will happen tomorrow?|Where is my phone?|What am I thinking?|
Who is the richest person?|What is my password?|How many people live in London?|Who discovered America?|What is the speed of light?|Can you draw a picture?|Play some music.|
What is inflation?|How does the internet work?|What is blockchain?|What is the capital of Mongolia?|Who is your favourite singer?|How do I learn guitar?""".replace("\n", "").split("|")
